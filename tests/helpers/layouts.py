"""Every data set of the registry in its published layout: the fields of the real files, the contents made up.

Each function writes a small copy below a folder and gives the path that ``--data`` would name.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from helpers.manifests import lines, write

Row = dict[str, Any]


def audiomcq_row(source: str, kind: str, own: str, **more: Any) -> Row:
    return {
        "source_dataset": source,
        "id": own,
        "question_type": kind,
        "audio_path": f"{source}/sample_{own}.wav",
        "question": "What is heard?",
        "answer": "Water splashing",
        "choices": ["A dog", "Water splashing", "Rain", "Applause"],
        "audio-contribution": "strong",
        "structured_cot": "<stage1>sound</stage1>",
    } | more


def audiomcq(folder: Path) -> Path:
    """Ids repeat across sources and types; files of the folder benchmarks are not part of the set."""
    first = [audiomcq_row("AudioCaps", "sound", "0"), audiomcq_row("Clotho", "sound", "0")]
    weak = {"audio-contribution": "weak"}
    write(folder / "datasets/a.json", json.dumps(first))
    write(folder / "datasets/t/b.json", json.dumps([audiomcq_row("Tacos", "temporal", "0", **weak)]))
    write(folder / "benchmarks/c.json", json.dumps([audiomcq_row("MMAU", "sound", "0")]))
    return folder


def strongac(folder: Path) -> Path:
    """The manifest stands beside the seven folders of audio; there is no audio-contribution."""
    rows = [audiomcq_row(source, "sound", "7", gemini_cot="I hear …") for source in ("Clotho", "MusicCaps")]
    rows = [{k: v for k, v in r.items() if k not in ("audio-contribution", "structured_cot")} for r in rows]
    write(folder / "Clotho/sample_7.wav", b"RIFF")
    write(folder / "data.jsonl", lines(*rows))
    return folder


def mmau_row(own: str, **more: Any) -> Row:
    return {
        "id": own,
        "audio_id": f"./test-mini-audios/{own}.wav",
        "question": "Based on the given audio, identify the source of the speaking voice.",
        "choices": ["Man", "Woman", "Child", "Robot"],
        "answer": "Man",
        "dataset": "AudioSet",
        "task": "sound",
        "split": "test-mini",
        "category": "Reasoning",
        "sub-category": "Acoustic Source Inference",
        "difficulty": "medium",
    } | more


def mmau(folder: Path) -> Path:
    """One row with a list as its category, one with a choice that stands twice."""
    rows = [mmau_row("a"), mmau_row("b", category=["Reasoning"]), mmau_row("c", choices=["Man", "Man", "Child"])]
    return write(folder / "mmau-test-mini.json", json.dumps(rows))


def mmar_row(own: str, **more: Any) -> Row:
    return {
        "id": own,
        "audio_path": f"./audio/{own}.wav",
        "question": "Who speaks first?",
        "choices": ["The guest", "The host"],
        "answer": "The host",
        "modality": "speech",
        "category": "Semantic Layer",
        "sub-category": "Speaker Analysis",
        "language": None,
        "source": "youtube",
        "url": "https://example.org/watch",
        "timestamp": "00:00,00:09",
        "thinking": "The host greets the guest.",
        "cue": ["greeting"],
        "rubric": [{"name": "cue", "scoring_point": "greeting", "note": "", "choices": [0, 1]}],
    } | more


def mmar(folder: Path) -> Path:
    return write(
        folder / "MMAR-meta.jsonl", lines(mmar_row("a_00-00"), mmar_row("b_00-00", modality="mix-sound-music"))
    )


def mmsu_row(own: str, **more: Any) -> Row:
    return {
        "id": own,
        "audio_path": f"audio/{own}.wav",
        "question": "How does the speaker feel?",
        "choice_a": "Angry",
        "choice_b": "Calm",
        "choice_c": "Sad",
        "choice_d": "Glad",
        "answer_gt": "Calm",
        "task_name": "emotion_recognition",
        "category": "Perception",
        "sub-category": "Paralinguistics",
        "sub-sub-category": "Speaking style",
        "linguistics_sub_discipline": "Paralinguistics",
    } | more


def mmsu(folder: Path) -> Path:
    """Questions with fewer options lack C and D, in each of the ways that this can be written."""
    missing = {k: v for k, v in mmsu_row("b").items() if k not in ("choice_c", "choice_d")}
    empty = mmsu_row("c", choice_c=None, choice_d="")
    printed = mmsu_row("d", choice_d="None")
    return write(folder / "mmsu.jsonl", lines(mmsu_row("a"), missing, empty, printed))


def mmau_pro_row(own: str, **more: Any) -> Row:
    return {
        "id": own,
        "audio_path": [f"data/{own}.wav"],
        "question": "Which instrument enters last?",
        "answer": "Flute",
        "choices": ["Oboe", "Flute", "Horn"],
        "category": "music",
        "task_identifier": None,
        "kwargs": None,
    } | more


def mmau_pro(folder: Path) -> Path:
    rows = [
        mmau_pro_row("a"),
        mmau_pro_row("b", category="open", choices=[], answer="A flute, then a horn."),
        mmau_pro_row("c", category="open", choices=[], answer="It rains."),
        mmau_pro_row("d", category="instruction following", choices=[], answer=None, task_identifier="no_commas"),
        mmau_pro_row("e", audio_path=["data/e.wav", "data/f.wav"]),
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "test.parquet")
    return folder / "test.parquet"


def muchomusic_row(identifier: str, **more: Any) -> Row:
    return {
        "question": "What carries the melody?",
        "correct_answer": "A flute",
        "distractor_1_answer": "A guitar",
        "distractor_2_answer": "In a minor key",
        "distractor_3_answer": "In a cave",
        "dataset": "sdd",
        "dataset_identifier": identifier,
        "genre": "Folk",
        "music_knowledge": "['instrumentation']",
        "music_reasoning": "[]",
    } | more


def muchomusic_scoring_row(track: int, **more: Any) -> Row:
    return {
        "id": track,
        "prompt": "Question: What carries the melody?\n Options: (A) In a cave (B) A flute \n The correct answer is: ",
        "answers": ["In a cave", "A flute"],
        "answer_orders": [1, 0],
        "dataset": "sdd",
        "genre": "Folk",
        "reasoning": [],
        "knowledge": ["instrumentation"],
        "audio_path": "data/sdd/audio/00/415600.2min.mp3",
        "model_output": "B",
    } | more


def muchomusic(folder: Path) -> Path:
    rows = [
        muchomusic_row("415600.json"),
        muchomusic_row("-x_Y_30.json", dataset="musiccaps", question="What is the mood?"),
        muchomusic_row("415600.json", question="Where was it recorded?"),
    ]
    path = folder / "muchomusic.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def rul_row(**more: Any) -> Row:
    return {
        "question": "What carries the melody?",
        "caption": "A flute plays over a drum.",
        "correct_answer": "A wooden flute",
        "distractors": ["An oboe", "A clarinet", "A horn", "A violin"],
        "PI": 0.98,
    } | more


def rul_muchomusic(folder: Path) -> Path:
    rows = {"1740": rul_row(), "7": rul_row(question="What plays the beat?"), "12": rul_row(caption="A choir.")}
    return write(folder / "RUL-MuchoMusic.json", json.dumps(rows))


def adqa_row(own: str, **more: Any) -> Row:
    return {
        "id": own,
        "question_text": "What follows the bell?",
        "multi_choice": ["A door", "A dog", "A car", "A bird"],
        "answer": "A dog",
        "audio_path": f"{own.split('_')[0]}_audios/{own}.wav",
    } | more


def adqa_dev(folder: Path) -> Path:
    padded = adqa_row("dev_0002", multi_choice=["A door", "A dog", "", " "])
    return write(folder / "dev.jsonl", lines(adqa_row("dev_0001"), padded))


def adqa_bench(folder: Path) -> Path:
    rows = [{k: v for k, v in adqa_row(own).items() if k != "answer"} for own in ("eval_0001", "eval_0002")]
    return write(folder / "eval-noanswer.jsonl", lines(*rows))


def dcase_row(own: str, **more: Any) -> Row:
    """Under the names that two public readers of the gated files use."""
    return {
        "id": own,
        "audio_url": f"audio_{own}.wav",
        "question": "Which animal calls?",
        "choice": ["A. Orca", "B. Walrus", "C. Bearded seal"],
        "answer": "B. Walrus",
        "question_type": "species",
    } | more


def dcase2025_aqa(folder: Path) -> Path:
    """One object a file, as those readers expect it."""
    for row in (dcase_row("1"), dcase_row("2", answer="C")):
        write(folder / f"{row['id']}.json", json.dumps(row))
    return folder


def avqa_row(own: int, **more: Any) -> Row:
    return {
        "id": own,
        "video_name": "-HG3_000030",
        "video_id": 341,
        "question_text": "What happened in the video?",
        "multi_choice": ["motorboat", "sailboat", "truck", "car"],
        "answer": 1,
        "question_relation": "View",
        "question_type": "Happening",
        "dataset_name": "AVQA",
        "audio_path": "wavs/-HG3_30.wav",
    } | more


def avqa(folder: Path) -> Path:
    return write(folder / "train_r1aqa.jsonl", lines(avqa_row(183), avqa_row(184, answer=0)))


def real_sounds(folder: Path) -> Path:
    """As AudioMCQ, the clips in an archive beside the file; licence and credit in every row."""
    more = {"label": "file name", "license": "CC0-1.0", "credit": "who", "recordings": ["package: in/a.ogg"]}
    more |= {"audio_path": "clips.zip/event-01.ogg"}
    rows = [audiomcq_row("package", "event", f"event-01-{n}", **more) for n in "12"]
    return write(folder / "items.jsonl", lines(*rows))


def sakura_row(name: str, **more: Any) -> Row:
    return {
        "file": f"{name}.wav",
        "animal": "cat",
        "single_instruction": "Which animal is it? (a) sheep (b) cat (c) rooster (d) crow",
        "single_answer": "(b) cat",
        "multi_instruction": "Which sound does it make? (a) Croaking (b) Chirping (c) Clucking (d) Meowing",
        "multi_answer": "(d) Meowing",
    } | more


def sakura(folder: Path) -> Path:
    """A folder for each track, its clips in the folder audio."""
    for track in ("Animal", "Emotion"):
        write(folder / track / "audio" / "cat0.wav", b"RIFF")
        path = folder / track / "metadata.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(sakura_row("cat0")))
            writer.writeheader()
            writer.writerows([sakura_row("cat0"), sakura_row("cat1")])
    return folder


def air_bench_row(own: int, **more: Any) -> Row:
    return {
        "path": f"{own}.wav",
        "question": "What is the gender of the speaker?",
        "choice_a": "male",
        "choice_b": "female",
        "choice_c": "unknown",
        "choice_d": "",
        "answer_gt": "female",
        "task_name": "Speaker_Gender_Recognition",
        "dataset_name": "meld",
        "uniq_id": own,
    } | more


def air_bench(folder: Path) -> Path:
    rows = [air_bench_row(0), air_bench_row(0, task_name="Audio_Grounding", dataset_name="AudioGrounding")]
    return write(folder / "Foundation_meta.json", json.dumps(rows))


def tacos_row(own: str, **more: Any) -> Row:
    texts = {"A": "A dog barks.", "C": "A door falls shut.", "D": "This is the last event, no immediate event after."}
    return {
        "id": own,
        "task": "event_timeline_next",
        "audio_filename": f"{own.partition('__')[0]}",
        "question": 'What happens immediately after this event first appears: "Steps."?',
        "options": [{"label": label, "text": text, "onset": 1.5, "type": "event"} for label, text in texts.items()],
        "answer_label": "C",
        "answer_type": "event",
        "answer_text": texts["C"],
    } | more


def tacos_order(folder: Path) -> Path:
    return write(folder / "tacos.jsonl", "".join(json.dumps(tacos_row(f"1.mp3__{n}")) + "\n" for n in range(2)))


def sh_row(**more: Any) -> Row:
    return {
        "question": "What is bought?",
        "options": ["I do not have an answer", "Tea", "Bread", "A book", "Milk"],
        "answer": "Bread",
        "speaker": "main",
        "audio": "real/shop_1.wav",
        "scene": "shop",
        "type": "real",
        "idk_answer": "I do not have an answer",
    } | more


def sh_bench(folder: Path) -> Path:
    rows = [sh_row(), sh_row(question="What is sold?", speaker="bystander")]
    return write(folder / "sh.json", json.dumps(rows))


def voicebench_row(**more: Any) -> Row:
    prompt = "Which animal barks?\nA. a cat\nB. a dog\nC. a hen\nD. a cow"
    return {"audio": "0.wav", "prompt": prompt, "reference": "B"} | more


def voicebench(folder: Path) -> Path:
    rows = [voicebench_row(), voicebench_row(prompt="Which purrs? A. a cat B. a dog", reference="A", audio="1.wav")]
    return write(folder / "voicebench.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "air-bench-foundation": air_bench,
    "sh-bench": sh_bench,
    "tacos-order": tacos_order,
    "voicebench": voicebench,
    "sakura": sakura,
    "adqa-bench": adqa_bench,
    "adqa-dev": adqa_dev,
    "audiomcq": audiomcq,
    "audiomcq-strongac": strongac,
    "avqa": avqa,
    "dcase2025-aqa": dcase2025_aqa,
    "mmar": mmar,
    "mmau": mmau,
    "mmau-pro": mmau_pro,
    "mmsu": mmsu,
    "muchomusic": muchomusic,
    "real-sounds": real_sounds,
    "rul-muchomusic": rul_muchomusic,
}
"""Data set to its layout."""

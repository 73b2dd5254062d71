"""The published data sets one by one: what each layout says, its traps, and what is left out of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers.layouts import (
    LAYOUTS,
    adqa_row,
    air_bench_row,
    audiomcq_row,
    avqa_row,
    dcase_row,
    mmar_row,
    mmau_pro_row,
    mmau_row,
    mmsu_row,
    muchomusic_row,
    muchomusic_scoring_row,
    rul_row,
    sakura_row,
    sh_row,
    tacos_row,
    voicebench_row,
)
from helpers.manifests import lines, write

from audiocontrib.errors import BadItem, UsageError
from audiocontrib.items import Item, Items
from audiocontrib.sources import SOURCES, Columns, Fields, load_items


def load(name: str, folder: Path, *rows: dict[str, Any]) -> Items:
    return load_items(name, data=write(folder / "rows.jsonl", lines(*rows)))


def load_one(name: str, folder: Path, row: dict[str, Any]) -> Item:
    (item,) = load(name, folder, row)
    return item


def fields(name: str, row: dict[str, Any]) -> Fields:
    read = SOURCES[name].fields
    assert read is not None
    return read(Columns(row))


def gold(item: Item) -> str:
    assert item.answer is not None
    return item.choices[item.answer]


def reasons(items: Items) -> list[tuple[str, str]]:
    return [(bad.field, bad.reason) for bad in items.quarantined]


def test_strongac_keeps_the_chain_of_thought_and_finds_audio_beside_the_manifest(tmp_path: Path) -> None:
    clotho, musiccaps = load_items("audiomcq-strongac", data=LAYOUTS["audiomcq-strongac"](tmp_path))
    assert clotho.id == "audiomcq-strongac/Clotho/sound/7"
    assert clotho.extra == {"gemini_cot": "I hear …"}
    assert clotho.audio is not None
    assert clotho.audio.root is not None
    assert (Path(clotho.audio.root) / str(clotho.audio.path)).is_file()
    assert musiccaps.clip_id == "MusicCaps/sample_7.wav"


@pytest.mark.parametrize("name", ["audiomcq", "audiomcq-strongac"])
def test_audiomcq_repeats_only_where_source_type_and_id_do(name: str, tmp_path: Path) -> None:
    keys = [("Tacos", "temporal", "1"), ("Tacos", "sound", "1"), ("Clotho", "sound", "1"), ("Tacos", "temporal", "1")]
    items = load(name, tmp_path, *(audiomcq_row(*key) for key in keys))
    assert [item.id for item in items] == [f"{name}/{source}/{kind}/{own}" for source, kind, own in keys[:3]]
    assert reasons(items) == [("id", "repeats; first seen at line 1")]


@pytest.mark.parametrize("label", ["weak", "strong", "Strong ", None])
def test_the_published_label_is_kept_verbatim(label: str | None, tmp_path: Path) -> None:
    item = load_one("audiomcq", tmp_path, audiomcq_row("Tacos", "temporal", "1", **{"audio-contribution": label}))
    assert item.extra["audio-contribution"] == label
    assert item.source_dataset == "Tacos"


def test_mmau_of_the_re_pack_holds_choices_as_text_and_its_audio(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = {k: v for k, v in mmau_row("a", choices='["Man", "Woman"]').items() if k != "audio_id"}
    table = pa.Table.from_pylist([row | {"audio": {"bytes": b"RIFF", "path": "a.wav"}}])
    pq.write_table(table, tmp_path / "test_mini-00000-of-00001.parquet")
    (item,) = load_items("mmau", data=tmp_path)
    assert (item.choices, item.split) == (("Man", "Woman"), "test-mini")
    assert item.audio is not None
    assert item.audio.path == "test_mini-00000-of-00001.parquet/1/audio"


def test_mmau_with_unknown_names_says_which_columns_are_there(tmp_path: Path) -> None:
    row = {{"task": "subject", "audio_id": "wav"}.get(k, k): v for k, v in mmau_row("a").items()}
    with pytest.raises(UsageError, match=r"audio: there is no column 'audio' or 'audio_id'; there are: id, wav, .*"):
        load("mmau", tmp_path, row)


def test_mmar_is_read_from_both_its_forms_and_explanations_stay_out_of_the_question(tmp_path: Path) -> None:
    rows = [mmar_row("a"), mmar_row("b", choices=["x", "y", "z"], answer="z", language="en")]
    as_lines = load("mmar", tmp_path, *rows)
    as_array = load_items("mmar", data=write(tmp_path / "MMAR-meta.json", json.dumps(rows)))
    assert list(as_lines) == list(as_array)
    first, second = as_lines
    assert (first.id, first.question_type, first.clip_id) == ("mmar/a", "speech", "audio/a.wav")
    assert (len(first.choices), len(second.choices)) == (2, 3)
    assert {"thinking", "cue", "rubric", "source", "language"} <= set(first.extra)


def test_mmsu_has_no_option_where_c_and_d_are_missing(tmp_path: Path) -> None:
    four, missing, empty, printed = load_items("mmsu", data=LAYOUTS["mmsu"](tmp_path))
    assert four.choices == ("Angry", "Calm", "Sad", "Glad")
    assert missing.choices == empty.choices == ("Angry", "Calm")
    assert printed.choices == ("Angry", "Calm", "Sad")
    assert four.question_type == "emotion_recognition"
    assert four.extra["sub-category"] == "Paralinguistics"
    assert not any(name.startswith("choice_") for name in printed.extra)


def test_mmsu_needs_a_and_b_and_an_answer_among_them(tmp_path: Path) -> None:
    without = {k: v for k, v in mmsu_row("c").items() if k != "choice_b"}
    items = load("mmsu", tmp_path, mmsu_row("a"), mmsu_row("b", answer_gt="B"), without, mmsu_row("d", choice_a="None"))
    assert [bad.field for bad in items.quarantined] == ["answer", "choice_b"]
    assert items[1].choices[0] == "None"  # A is always an option


def test_voicebench_mmsu_is_not_mistaken_for_mmsu(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is this in the layout of mmsu"):
        load("mmsu", tmp_path, {"prompt": "What …? A. x B. y", "reference": "A", "audio_path": "a.wav"})


def test_mmau_pro_counts_what_is_no_multiple_choice_question_on_one_recording(tmp_path: Path) -> None:
    items = load_items("mmau-pro", data=LAYOUTS["mmau-pro"](tmp_path))
    (item,) = items
    assert (item.id, item.question_type, item.clip_id) == ("mmau-pro/a", "music", "data/a.wav")
    assert items.quarantined == ()
    assert items.origin["left_out"] == {
        "category 'open': not multiple choice": 2,
        "category 'instruction following': not multiple choice": 1,
        "on several recordings at once": 1,
    }


def test_mmau_pro_quarantines_a_closed_row_without_choices_or_audio(tmp_path: Path) -> None:
    rows = [mmau_pro_row("a", choices=None), mmau_pro_row("b", audio_path=[]), mmau_pro_row("c", audio_path="d/c.wav")]
    items = load("mmau-pro", tmp_path, *rows)
    assert [item.clip_id for item in items] == ["d/c.wav"]
    assert reasons(items) == [("choices", "is a NoneType, not a list of options"), ("audio", "is empty")]


def test_muchomusic_csv_shuffles_the_gold_away_from_the_first_place(tmp_path: Path) -> None:
    path = LAYOUTS["muchomusic"](tmp_path)
    sdd, musiccaps, again = items = load_items("muchomusic", data=path)
    published = ["A flute", "A guitar", "In a minor key", "In a cave"]
    for item in items:
        assert gold(item) == "A flute"
        assert sorted(item.choices) == sorted(published)
        assert item.extra["published_choices"] == published
    assert sdd.clip_id == again.clip_id == "sdd/415600"
    assert str(sdd.audio) == "sdd/audio/00/415600.2min.mp3"
    assert (musiccaps.clip_id, musiccaps.source_dataset) == ("musiccaps/-x_Y", "musiccaps")
    assert str(musiccaps.audio) == "musiccaps/audio/[-x_Y]-[30-40].wav"
    assert sdd.extra["music_knowledge"] == "['instrumentation']"
    assert list(items) == list(load_items("muchomusic", data=path))


def test_muchomusic_takes_a_question_id_where_there_is_one(tmp_path: Path) -> None:
    assert load_one("muchomusic", tmp_path, muchomusic_row("5", question_id=31)).id == "muchomusic/31"


def test_muchomusic_for_scoring_is_in_the_order_that_was_asked(tmp_path: Path) -> None:
    examples = "Question: An example? Options: (A) x (B) y The correct answer is: x \n "
    other = muchomusic_scoring_row(415600)
    other["prompt"] = examples + other["prompt"].replace("carries", "is")
    first, second = load("muchomusic", tmp_path, muchomusic_scoring_row(415600), other)
    assert (first.question, second.question) == ("What carries the melody?", "What is the melody?")
    assert first.choices == ("In a cave", "A flute")
    assert gold(first) == "A flute"
    assert first.clip_id == second.clip_id == "sdd/415600"
    assert first.id != second.id  # the track's id is not the question's
    assert str(first.audio) == "data/sdd/audio/00/415600.2min.mp3"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (muchomusic_scoring_row(1, answer_orders=[1, 2]), "answer_orders"),
        (muchomusic_scoring_row(1, answer_orders=[0, 0]), "answer_orders"),
        (muchomusic_scoring_row(1, answer_orders=[0]), "answer_orders"),
        (muchomusic_scoring_row(1, answers=None), "answer_orders"),
        (muchomusic_scoring_row(1, prompt="What is it?"), "prompt"),
        (muchomusic_scoring_row(1, prompt=None), "prompt"),
        (muchomusic_row("x.json"), "dataset_identifier"),
        (muchomusic_row("x_y.json", dataset="musiccaps"), "dataset_identifier"),
        (muchomusic_row("../../5_5", dataset="fma"), "dataset_identifier"),
    ],
)
def test_muchomusic_rows_that_cannot_be_read(row: dict[str, Any], field: str) -> None:
    with pytest.raises(BadItem) as caught:
        fields("muchomusic", row)
    assert caught.value.field == field


def test_rul_muchomusic_is_an_object_by_id_with_a_clip_for_each_caption(tmp_path: Path) -> None:
    items = load_items("rul-muchomusic", data=LAYOUTS["rul-muchomusic"](tmp_path))
    assert [item.id for item in items] == [f"rul-muchomusic/{own}" for own in ("1740", "7", "12")]
    first, second, third = items
    assert first.clip_id == second.clip_id != third.clip_id
    assert str(first.audio) == "1740.mp3"
    assert gold(first) == "A wooden flute" == first.extra["published_choices"][0]
    assert len(first.choices) == 5
    assert (first.extra["PI"], first.extra["caption"]) == (0.98, "A flute plays over a drum.")


def test_rul_muchomusic_without_a_list_of_distractors_is_quarantined(tmp_path: Path) -> None:
    items = load("rul-muchomusic", tmp_path, {"id": "1", **rul_row(distractors=None)}, {"id": "2", **rul_row()})
    assert reasons(items) == [("distractors", "is a NoneType, not a list")]


def test_the_place_of_a_gold_that_was_published_first_is_even() -> None:
    places = Counter(
        shuffled.choices.index(shuffled.answer)
        for shuffled in (fields("rul-muchomusic", {"id": number, **rul_row()}) for number in range(2000))
    )
    assert set(places) == set(range(5))
    expected = 2000 / 5
    # chi-squared with 4 degrees of freedom is below 18.5 with probability 0.999
    assert sum((count - expected) ** 2 / expected for count in places.values()) < 18.5


def test_adqa_leaves_out_blank_choices_and_says_so(tmp_path: Path) -> None:
    full, padded = load_items("adqa-dev", data=LAYOUTS["adqa-dev"](tmp_path))
    assert (full.id, full.clip_id, full.notes) == ("adqa-dev/dev_0001", "dev_audios/dev_0001.wav", ())
    assert padded.choices == ("A door", "A dog")
    assert padded.notes == ("blank choices left out: 2",)
    assert gold(padded) == "A dog"


@pytest.mark.parametrize("changes", [{"answer": ""}, {"answer": 1}, {"multi_choice": "A door"}, {"multi_choice": [""]}])
def test_adqa_rows_that_cannot_be_scored(changes: dict[str, Any], tmp_path: Path) -> None:
    items = load("adqa-dev", tmp_path, adqa_row("dev_0001", **changes))
    assert len(items) == 0
    assert len(items.quarantined) == 1


def test_adqa_bench_is_asked_without_answers_until_they_are_added(tmp_path: Path) -> None:
    items = load_items("adqa-bench", data=LAYOUTS["adqa-bench"](tmp_path))
    assert [item.answer for item in items] == [None, None]
    added, empty = load("adqa-bench", tmp_path, adqa_row("eval_0001"), adqa_row("eval_0002", answer=None))
    assert (added.answer, empty.answer) == (1, None)
    with pytest.raises(UsageError, match=r"there is no column 'answer'.*is this in the layout of adqa-dev"):
        load_items("adqa-dev", data=LAYOUTS["adqa-bench"](tmp_path))


def test_avqa_answers_are_indexes(tmp_path: Path) -> None:
    first, second = load_items("avqa", data=LAYOUTS["avqa"](tmp_path))
    assert (gold(first), gold(second)) == ("sailboat", "motorboat")
    assert (first.question_type, first.source_dataset) == ("Happening", "AVQA")
    assert first.question == "What happened in the video?"
    assert first.extra["video_name"] == "-HG3_000030"
    items = load("avqa", tmp_path, avqa_row(1, answer=4), avqa_row(2, answer="car"), avqa_row(3, answer=0))
    assert reasons(items) == [("answer", "index 4 is outside the 4 choices"), ("answer", "'car' is not an index")]


@pytest.mark.parametrize("answer", ["B. Walrus", "Walrus", "B", "(B)", "b.", " B) "])
def test_dcase_answers_in_any_form_are_the_option(answer: str, tmp_path: Path) -> None:
    item = load_one("dcase2025-aqa", tmp_path, dcase_row("1", answer=answer))
    assert item.choices == ("Orca", "Walrus", "Bearded seal")
    assert gold(item) == "Walrus"
    assert item.notes == ("labels printed before the choices taken off",)


@pytest.mark.parametrize(
    ("choices", "answer", "expected"),
    [
        (["(A) Orca", "(B) Walrus"], "(B) Walrus", ("Orca", "Walrus")),
        (["(A) Orca", "Walrus"], "(A) Orca", ("(A) Orca", "Walrus")),
        (["A. Orca", "C. Walrus"], "A. Orca", ("A. Orca", "C. Walrus")),
        (["B flat", "A flat"], "A flat", ("B flat", "A flat")),
        (["B", "A"], "A", ("B", "A")),
        (["Orca", "Walrus"], "B", ("Orca", "Walrus")),
    ],
)
def test_dcase_labels_are_taken_off_only_where_every_option_has_its_own(
    choices: list[str], answer: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    item = load_one("dcase2025-aqa", tmp_path, dcase_row("1", choice=choices, answer=answer))
    assert item.choices == expected
    assert gold(item) == (answer if answer in expected else "Walrus")


def test_dcase_answers_that_are_not_clear_are_quarantined(tmp_path: Path) -> None:
    pitches = ["(A) B", "(B) A"]
    rows = [dcase_row("1", choice=pitches, answer="A"), dcase_row("2", answer="D"), dcase_row("3", answer=None)]
    rows.append(dcase_row("4", choice=None))
    items = load("dcase2025-aqa", tmp_path, *rows)
    assert [bad.field for bad in items.quarantined] == ["answer", "answer", "answer", "choices"]
    assert reasons(items)[0][1] == "'A' is the text of one option and the label of another"


def test_dcase_clips_are_known_by_name_and_are_part_of_identity(tmp_path: Path) -> None:
    places = ["/home/them/dev/a.wav", "https://example.org/x/b.wav", "dev/c.wav"]
    items = load("dcase2025-aqa", tmp_path, *(dcase_row("1", audio_url=place) for place in places))
    assert [item.clip_id for item in items] == ["a.wav", "b.wav", "dev/c.wav"]
    assert [item.id for item in items] == [f"dcase2025-aqa/{clip}.wav/1" for clip in "abc"]


def test_dcase_reads_other_spellings_and_names_the_columns_where_it_cannot(tmp_path: Path) -> None:
    other = {"question_text": "Which?", "options": ["(A) x", "(B) y"], "answer": "(B) y", "audio_path": "a.wav"}
    assert load_one("dcase2025-aqa", tmp_path, other).choices == ("x", "y")
    with pytest.raises(UsageError, match=r"'choice' or 'choices' or .*; there are: question, candidates, answer, wav"):
        load("dcase2025-aqa", tmp_path, {"question": "?", "candidates": ["x", "y"], "answer": "x", "wav": "a.wav"})


def test_sakura_asks_both_questions_of_a_row(tmp_path: Path) -> None:
    items = load_items("sakura", data=LAYOUTS["sakura"](tmp_path))
    assert items.quarantined == ()
    assert len(items) == 8
    single, multi = items[:2]
    assert (single.id, multi.id) == ("sakura/Animal/cat0.wav/single", "sakura/Animal/cat0.wav/multi")
    assert (single.question, single.choices, gold(single)) == (
        "Which animal is it?", ("sheep", "cat", "rooster", "crow"), "cat"
    )  # fmt: skip
    assert (multi.question_type, gold(multi), multi.extra["animal"]) == ("animal-multi", "Meowing", "cat")
    assert single.clip_id == multi.clip_id == "Animal/audio/cat0.wav"
    assert items[4].source_dataset == "Emotion"
    assert (tmp_path / str(single.clip_id)).is_file()


def test_sakura_of_one_track_and_answers_that_do_not_fit(tmp_path: Path) -> None:
    LAYOUTS["sakura"](tmp_path)
    items = load_items("sakura", data=tmp_path / "Animal" / "metadata.csv")
    assert [item.clip_id for item in items[:2]] == ["audio/cat0.wav"] * 2
    bad = load("sakura", tmp_path, sakura_row("a", single_answer="(c) cat"), sakura_row("b", multi_instruction="None?"))
    assert [field for field, _ in reasons(bad)] == ["answer", "choices"]
    assert len(bad) == 0


def test_air_bench_finds_its_clips_and_has_no_empty_option(tmp_path: Path) -> None:
    voice, grounding = load_items("air-bench-foundation", data=LAYOUTS["air-bench-foundation"](tmp_path))
    assert (voice.choices, gold(voice)) == (("male", "female", "unknown"), "female")
    assert voice.clip_id == "Speaker_Gender_Recognition_meld/0.wav"
    assert grounding.clip_id == "Audio_Grounding_AudioGrounding/0.flac"
    assert voice.id != grounding.id
    two = load_one("air-bench-foundation", tmp_path, air_bench_row(3, choice_c=None))
    assert two.choices == ("male", "female")


def test_tacos_order_keeps_labels_with_gaps(tmp_path: Path) -> None:
    items = load_items("tacos-order", data=LAYOUTS["tacos-order"](tmp_path))
    assert [gold(item) for item in items] == ["A door falls shut."] * 2
    assert (items[0].id, items[0].clip_id, items[0].question_type) == ("tacos-order/1.mp3__0", "1.mp3", "event")
    bad = load("tacos-order", tmp_path, tacos_row("a", answer_label="B"), tacos_row("b", answer_text="A dog barks."))
    assert [field for field, _ in reasons(bad)] == ["answer_label", "answer_text"]


def test_sh_bench_marks_the_option_that_abstains(tmp_path: Path) -> None:
    first, other = load_items("sh-bench", data=LAYOUTS["sh-bench"](tmp_path))
    assert (gold(first), first.question_type, other.question_type) == ("Bread", "main", "bystander")
    assert first.notes == ("option 1 abstains",)
    assert first.extra["abstains"] == "I do not have an answer"
    bare = {
        k: v for k, v in sh_row(options=["Tea", "Bread", "A book", "Milk", "I don't know"]).items() if k != "idk_answer"
    }
    assert load_one("sh-bench", tmp_path, bare).notes == ("option 5 abstains",)
    four = load("sh-bench", tmp_path, bare | {"options": ["Tea", "Bread", "A book", "Milk"]})
    assert [field for field, _ in reasons(four)] == ["idk_answer"]


def test_voicebench_takes_its_parts_with_options(tmp_path: Path) -> None:
    first, second = load_items("voicebench", data=LAYOUTS["voicebench"](tmp_path))
    assert (first.question, gold(first), gold(second)) == ("Which animal barks?", "a dog", "a cat")
    assert second.choices == ("a cat", "a dog")
    rest = load("voicebench", tmp_path, voicebench_row(), voicebench_row(reference="yes"), voicebench_row(prompt="Hm?"))
    assert len(rest) == 1
    assert [field for field, _ in reasons(rest)] == ["choices"]
    assert sum(rest.origin["left_out"].values()) == 1


def test_mmau_of_its_own_hub_has_the_ids_of_the_json(tmp_path: Path) -> None:
    about = {k: v for k, v in mmau_row("a").items() if k in ("id", "dataset", "task", "split", "category")}
    row = {
        "context": {"path": "a.wav"},
        "instruction": "Who speaks?",
        "choices": ["(A) Man", "(B) Woman"],
        "answer": "(B) Woman",
        "other_attributes": json.dumps(about),
    }
    item = load_one("mmau", tmp_path, row)
    assert (item.id, item.question, item.choices, gold(item)) == ("mmau/a", "Who speaks?", ("Man", "Woman"), "Woman")
    assert (item.question_type, item.source_dataset, item.split) == ("sound", "AudioSet", "test-mini")
    assert item.extra["category"] == "Reasoning"
    hidden = row | {"answer": "", "other_attributes": json.dumps(about | {"split": "test", "id": "b"})}
    assert load_one("mmau", tmp_path, hidden).answer is None
    bad = load("mmau", tmp_path, row, row | {"other_attributes": "{"}, row | {"answer": "(A) Woman"})
    assert [field for field, _ in reasons(bad)] == ["other_attributes", "answer"]


def test_an_empty_choice_at_the_end_of_mmar_is_left_out(tmp_path: Path) -> None:
    padded = mmar_row("a", choices=["The guest", "The host", ""])
    item = load_one("mmar", tmp_path, padded)
    assert (item.choices, item.notes) == (("The guest", "The host"), ("blank choices left out: 1",))

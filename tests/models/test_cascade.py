"""Cascades as models: they listen once, read the evidence, and answer like any other model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.cascade_parts import (
    FakeRecogniser,
    FakeTagger,
    missing_weights,
    save_reader,
    save_tagger,
    save_whisper,
    sound,
)
from helpers.lazy import lazy
from helpers.sounds import encoded

import audiocontrib as ac
from audiocontrib.audio import Sound, silence
from audiocontrib.cli import main
from audiocontrib.conditions import condition
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Clip, Item, Items, make_item
from audiocontrib.models import CASCADES, Request, load_model
from audiocontrib.models.cascade.parts import ENV
from audiocontrib.models.cascade.recipe import CascadeRecipe, FewShotExample, Gate, TaggerConfig, read_cascade_recipe
from audiocontrib.models.cascade.recipe import ReaderConfig as ReaderPart
from audiocontrib.prompts import make_prompt, unrotate

if TYPE_CHECKING:
    from audiocontrib.models.cascade.cascade import Cascade
    from audiocontrib.models.cascade.read import Reader

cascade_cascade = lazy("audiocontrib.models.cascade.cascade")
listen = lazy("audiocontrib.models.cascade.listen")
load = lazy("audiocontrib.models.load")
read = lazy("audiocontrib.models.cascade.read")
safetensors_torch = lazy("safetensors.torch")
torch = lazy("torch")

CHOICES = ("a dog", "a long siren far away", "rain")
SHOT = FewShotExample(evidence="Sounds: Bus.", question="Which vehicle?", answer="a bus")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny random parts."""
    folder = tmp_path_factory.mktemp("weights")
    save_whisper(folder / "whisper")
    save_tagger(folder / "tagger")
    save_reader(folder / "reader")
    return folder


@pytest.fixture(scope="module")
def reader(parts: Path) -> Reader:
    lm = load.load_checkpoint(parts / "reader", name="c", device="cpu")
    return read.Reader("c", lm.net, lm.tokenizer, lm.fingerprint())


@pytest.fixture
def recipe_file(parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ENV, str(parts))
    path = tmp_path / "my.yaml"
    path.write_text(
        "name: mine\nrecogniser: {weights: whisper}\ntagger: {weights: tagger, window: 1, hop: 0.5, least: 0}\n"
        "reader:\n  weights: reader\n  phrasing: plain\n  score: token\n"
    )
    return path


def cascade(reader: Reader, *, phrasing: str = "plain", score: str = "token", **parts: Any) -> Cascade:
    how = ReaderPart(weights="r", phrasing=phrasing, score=score, examples=(SHOT,))
    naming = TaggerConfig(weights="t")
    listener = listen.Listener(parts.get("tagger", FakeTagger()), naming, parts.get("recogniser"), Gate())
    return cascade_cascade.Cascade(CascadeRecipe(name="c", reader=how, tagger=naming), listener, reader)


def asked(heard: Sound | None, order: int = 0, number: int = 0, spec: str = "audio") -> Request:
    how = condition("text" if heard is None else spec)
    item = Item(f"t/{number}", "t", f"What is heard in {number}?", CHOICES, 0, None, "c")
    question = item.question if how.shows_question else None
    prompt = make_prompt(question, CHOICES, order=order, has_audio=heard is not None)
    return Request(item, how, order, prompt, heard)


def logprobs(reader: Reader, text: str, option: str) -> list[float]:
    """log p of each token of `` option`` and the end of its line, by one forward."""
    ids = reader.tokenizer(text, add_special_tokens=True).input_ids
    target = reader.tokenizer(f" {option}\n", add_special_tokens=False).input_ids
    with torch.inference_mode():
        rows = reader.net(torch.tensor([ids + target])).logits[0].float().log_softmax(-1)
    return [rows[len(ids) - 1 + i, token].item() for i, token in enumerate(target)]


@pytest.mark.parametrize(
    ("heard", "spec", "text"),
    [
        (
            sound(),
            "audio",
            "Sounds: Bus.\nQuestion: Which vehicle?\nAnswer: a bus\n\n"
            "Sounds: dog.\nQuestion: What is heard in 0?\nAnswer:",
        ),
        (
            silence(30),
            "silence",
            "Sounds: Bus.\nQuestion: Which vehicle?\nAnswer: a bus\n\n"
            "Nothing is heard.\nQuestion: What is heard in 0?\nAnswer:",
        ),
        (None, "text", "Question: Which vehicle?\nAnswer: a bus\n\nQuestion: What is heard in 0?\nAnswer:"),
        (sound(), "noquestion", "Sounds: Bus.\nQuestion: Which vehicle?\nAnswer: a bus\n\nSounds: dog.\nAnswer:"),
    ],
)
def test_options_are_scored_as_a_plain_forward_scores_them(
    reader: Reader, heard: Sound | None, spec: str, text: str
) -> None:
    wanted = [logprobs(reader, text, option) for option in CHOICES]
    [mean] = cascade(reader).likelihood([asked(heard, spec=spec)])
    [total] = cascade(reader, score="sum").likelihood([asked(heard, spec=spec)])
    assert mean.logprobs == pytest.approx([np.mean(w) for w in wanted], abs=1e-4)
    assert mean.tokens == (1, 1, 1)
    assert total.logprobs == pytest.approx([sum(w) for w in wanted], abs=1e-4)
    assert total.tokens == tuple(map(len, wanted))
    assert mean.evidence == {"audio": "Sounds: dog.", "noquestion": "Sounds: dog.", "text": None}.get(
        spec, "Nothing is heard."
    )


def test_the_order_of_options_that_are_not_listed_changes_nothing(reader: Reader) -> None:
    answers = cascade(reader).likelihood([asked(sound(), order) for order in range(3)])
    values = [unrotate(answer.logprobs, order) for order, answer in enumerate(answers)]
    assert values[1] == pytest.approx(values[0], abs=1e-5)
    assert values[2] == pytest.approx(values[0], abs=1e-5)


def test_a_chat_reader_is_asked_by_the_runs_own_prompt(reader: Reader) -> None:
    [answer] = cascade(reader, phrasing="chat", score="sum").likelihood([asked(sound())])
    listed = make_prompt("What is heard in 0?", CHOICES, has_audio=False)
    lm = read.Reader("c", reader.net, reader.tokenizer, {})
    heard = "What is heard:\nSounds: dog.\n\n"
    changed = type(listed)(listed.system, heard + listed.user, False, CHOICES)
    [wanted] = lm.likelihood([Request(asked(None).item, condition("text"), 0, changed, None)])
    assert answer.logprobs == pytest.approx(wanted.logprobs, abs=1e-5)
    assert answer.tokens == wanted.tokens
    [reply] = cascade(reader).generate([asked(sound())], max_new_tokens=4)
    [same] = lm.generate([Request(asked(None).item, condition("text"), 0, changed, None)], max_new_tokens=4)
    assert (reply.text, reply.evidence) == (same.text, "Sounds: dog.")


def test_a_sound_is_listened_to_once(reader: Reader, tmp_path: Path) -> None:
    tagger = FakeTagger()
    model = cascade(reader, tagger=tagger)
    model.keep_evidence(tmp_path)
    requests = [asked(sound(seed), order, number) for seed in (0, 1) for order in range(3) for number in range(2)]
    prepared = model.prepare(requests)
    assert tagger.asked == 2
    model.likelihood(prepared)
    model.generate(requests, max_new_tokens=1)
    assert tagger.asked == 2
    later = FakeTagger()
    again = cascade(reader, tagger=later)
    again.keep_evidence(tmp_path)
    [answer] = again.likelihood([asked(sound(1))])
    assert (later.asked, answer.evidence) == (0, "Sounds: dog.")
    other = cascade(reader, tagger=FakeTagger(sha256="other"))
    other.keep_evidence(tmp_path)
    other.likelihood([asked(sound(1))])
    assert other.fingerprint() != again.fingerprint()


def clips(folder: Path, seeds: int = 3) -> Items:
    made = []
    for seed in range(seeds):
        (folder / f"{seed}.wav").write_bytes(encoded(sound(seed).samples, subtype="FLOAT"))
        clip = Clip(path=f"{seed}.wav", root=str(folder))
        made.append(
            make_item(dataset="t", own_id=str(seed), question="What?", choices=CHOICES, answer=CHOICES[0], audio=clip)
        )
    return Items(made, origin={"name": "t"})


def test_a_sound_that_a_part_fails_on_fails_alone_and_is_asked_again(reader: Reader, tmp_path: Path) -> None:
    items = clips(tmp_path)
    bad = FakeRecogniser(fails_on=frozenset({sound(1).sha256}))
    run = ac.score(items, [cascade(reader, recogniser=bad)], ["audio", "silence"], run=tmp_path / "run", progress=False)
    rows = run.query("select item_id, condition, outcome, evidence, error from responses order by 1, 2")
    failed = rows[rows["outcome"] == "failed"]
    assert set(zip(failed["item_id"], failed["condition"], strict=True)) == {("t/1", "audio")}
    assert set(failed["error"]) == {
        f"c: a listening part failed on the sound {sound(1).sha256[:12]}… (1.0 s): "
        "RuntimeError: the decoder ran into a wall"
    }
    heard = rows[(rows["outcome"] == "answered") & (rows["condition"] == "audio")]
    assert set(heard["evidence"]) == {'Sounds: dog.\nLanguage: English.\nSpeech: "hello"'}
    assert set(rows[rows["condition"] == "silence"]["evidence"]) == {"Nothing is heard."}
    ac.score(items, [cascade(reader, recogniser=FakeRecogniser())], ["audio", "silence"], run=run.path, progress=False)
    assert run.query("select count(*) as n from responses where outcome = 'failed'")["n"][0] == 0


def test_a_recipe_of_any_parts_answers(recipe_file: Path, tmp_path: Path) -> None:
    model = load_model(f"cascade:{recipe_file}", device="cpu")
    items = clips(tmp_path, seeds=2)
    run = ac.score(items, [model], ["audio", "silence", "text"], run=tmp_path / "run", progress=False)
    rows = run.query("select model, condition, outcome, evidence, error from responses")
    assert set(rows["model"]) == {"mine"}
    assert set(rows["outcome"]) == {"answered"}, set(rows["error"])
    assert rows[rows["condition"] == "text"]["evidence"].isna().all()
    evidence = set(rows[rows["condition"] == "audio"]["evidence"])
    assert list((run.path / "evidence").rglob("*.jsonl"))
    assert all("Speech: " in text and "Sounds: " in text and "Language: " in text for text in evidence)
    prints = model.fingerprint()
    assert prints["score"] == "mean log-probability of a token"
    assert model.fingerprint() == load_model(f"cascade:{recipe_file}", device="cpu").fingerprint() == prints


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("phrasing: plain", "phrasing: loud"), "reader.phrasing is 'loud', but must be 'chat' or 'plain'"),
        (("hop: 0.5", "hop: fast"), "tagger.hop is 'fast', but must be a number above 0"),
        (("hop: 0.5", "hops: 0.5"), "there is no field 'tagger.hops'; did you mean 'hop'?"),
        (("name: mine", ""), "the field 'name' is missing; it must be a text"),
        (("name: mine", "name: [mine"), "line 2: the recipe cannot be read: "),
        (("reader:", "reader: 3\nx:"), "there is no field 'x'; there are: name, "),
        (
            ("{weights: whisper}", "whisper"),
            "recogniser is 'whisper', but must be fields and values (such as weights: …) or null",
        ),
    ],
)
def test_a_recipe_that_is_none_is_refused(recipe_file: Path, change: tuple[str, str], message: str) -> None:
    recipe_file.write_text(recipe_file.read_text().replace(*change))
    with pytest.raises(UsageError) as caught:
        load_model(f"cascade:{recipe_file}")
    assert str(caught.value).startswith(f"{recipe_file}: {message}")
    assert "\n" not in str(caught.value)


def test_a_cascade_that_hears_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deaf.yaml"
    path.write_text("name: deaf\nreader: {weights: r}\n")
    with pytest.raises(UsageError, match="a cascade must hear: name a recogniser, a tagger or both"):
        read_cascade_recipe(path)
    with pytest.raises(UsageError, match=r"no_such\.yaml: the recipe cannot be read"):
        load_model("cascade:no_such.yaml")
    with pytest.raises(UsageError, match=r"name its recipe, as in cascade:my-cascade.yaml"):
        load_model("cascade")


def test_a_missing_part_and_a_wrong_hash_are_one_line(
    recipe_file: Path, parts: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = recipe_file.read_text()
    recipe_file.write_text(text.replace("{weights: whisper}", "{weights: whisper, files: {model.safetensors: '0123'}}"))
    with pytest.raises(AudiocontribError) as caught:
        load_model(f"cascade:{recipe_file}")
    assert str(caught.value).startswith(f"{parts}/whisper/model.safetensors: its sha256 is ")
    assert str(caught.value).endswith("run: python recipes/offline_weights/assemble.py")
    recipe_file.write_text(text.replace("{weights: whisper}", "{weights: whisper, files: {model.bin: '0123'}}"))
    with pytest.raises(AudiocontribError, match=r"model\.bin: there is no such file; delete "):
        load_model(f"cascade:{recipe_file}")
    recipe_file.write_text(text.replace("{weights: whisper}", "{weights: tagger}"))
    with pytest.raises(
        AudiocontribError, match=r"mine: a listening part cannot be loaded: .*of type wav2vec2, not whisper"
    ):
        load_model(f"cascade:{recipe_file}")
    monkeypatch.setenv(ENV, str(tmp_path / "empty"))
    done = CliRunner().invoke(
        main,
        ["score", "--dataset", "demo", "--limit", "10", "--model", "cascade-small", "--run", str(tmp_path / "run")],
    )
    assert done.exit_code == 1
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line == (
        f"error: part whisper-base is neither in {CASCADES} nor in {tmp_path}/empty; run: "
        f"python recipes/offline_weights/assemble.py (or set {ENV} to the folder that holds it)"
    )
    assert "Traceback" not in done.stderr


def test_a_part_that_lacks_weights_is_refused(recipe_file: Path, parts: Path) -> None:
    folder = recipe_file.parent / "whisper"  # beside the recipe: found before the one in the folder of weights
    shutil.copytree(parts / "whisper", folder)
    held = safetensors_torch.load_file(folder / "model.safetensors")
    del held["model.decoder.layer_norm.weight"]
    safetensors_torch.save_file(held, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(AudiocontribError, match=r"it lacks 1 weights of Whisper\w+, e\.g\. model\.decoder\.layer_norm"):
        load_model(f"cascade:{recipe_file}")


def test_the_preset_names_all_its_parts_with_hashes() -> None:
    recipe = read_cascade_recipe(CASCADES / "cascade-small.yaml")
    assert recipe.name == "cascade-small"
    assert recipe.reader.phrasing == "plain"
    for part in (recipe.recogniser, recipe.tagger, recipe.reader):
        assert part is not None
        assert all(len(sha) == 64 for sha in part.files.values())
        assert {"model.safetensors", "model.onnx"} & part.files.keys()


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.skipif(bool(missing_weights()), reason=missing_weights())
def test_cascade_small_hears_nothing_in_silence_and_no_words_in_noise() -> None:
    model = load_model("cascade-small", device="cpu")
    assert isinstance(model, cascade_cascade.Cascade)
    assert model.evidence(silence(30)) == "Nothing is heard."
    for level in (0.01, 0.1, 0.5):
        assert "Speech" not in model.evidence(sound(seconds=5, level=level))
    # left alone, the recogniser makes words up: that is what the gate is for
    alone = model._listener._recogniser
    assert alone is not None
    assert alone.recognise(silence(30)).words.lower().strip(". ") == "you"

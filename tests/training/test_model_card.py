"""What a training tells of itself: the model's card (what was done, how it is asked and made again) and its metrics."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import soundfile
import yaml
from click.testing import CliRunner
from helpers import ROOT
from helpers.lazy import lazy, needs
from helpers.training_tools import TINY, demo_rows, sft
from markdown_it import MarkdownIt

from audiocontrib.audio import RATE, decode
from audiocontrib.cli import main
from audiocontrib.conditions import condition
from audiocontrib.items import Clip
from audiocontrib.models import Request, load_model
from audiocontrib.models.families import FAMILIES
from audiocontrib.prompts import DEFAULT_PROMPT, find_prompt, make_prompt
from audiocontrib.provenance import DataSource, SplitSettings
from audiocontrib.training import read_training_recipe, stage_rows, train_sft
from audiocontrib.training.model_card.usage import usage

card = lazy("audiocontrib.training.model_card.card")
results = lazy("audiocontrib.training.model_card.results")
training_record = lazy("audiocontrib.training.output.training_record")

pytestmark = [needs("trl"), pytest.mark.slow]  # two stages are trained for them
EVIL = r"a|b \| <script>alert(1)</script> [x](javascript:1) {{ 7 * 7 }} *em* __strong__ `code` <http://x.y>"
STAGE = {"learning_rate": 1e-3, "copies": 1, "save_every": 1}
RECIPE = {
    "about": "a trial", "model": TINY, "disjoint": "item",
    "sft": STAGE | {"part": "weak", "batch": 4, "steps": 2},
    "grpo": STAGE | {"part": "strong", "batch": 4, "generations": 2, "new_tokens": 6, "steps": 1, "warmup": 0},
}  # fmt: skip


def call(*words: str) -> None:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a run was split and a model trained in two stages."""
    folder = tmp_path_factory.mktemp("chain")
    (folder / "mine.yaml").write_text(yaml.safe_dump(RECIPE))
    with contextlib.chdir(folder):
        words = ["score", "--dataset", "demo", "--limit", "24", "--model", "mock:leak=0.5", "--run", "runs/d",
                 "--quiet", "--condition", "audio", "--condition", "silence"]  # fmt: skip
        call(*words)
        call("split", "--run", "runs/d", "--threshold", "0.5", "--name", "halves")
        for stage in ("sft", "grpo"):
            call("train", stage, "--training-recipe", "mine.yaml", "--run", "runs/d", "--quiet")
    return folder


@pytest.fixture(scope="module")
def made(chain: Path) -> Path:
    return chain / "trained" / "mine" / "grpo" / "model"


def part(text: str, heading: str) -> str:
    """What stands under a heading of a card."""
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def blocks(text: str) -> list[str]:
    """The blocks of code in a text."""
    return [found[1] for found in re.findall(r"(?ms)^```(\w*)\n(.*?)\n```$", text)]


def test_both_stages_are_told_with_their_split(made: Path) -> None:
    text = (made / card.CARD).read_text()
    header = yaml.safe_load(text.split("---\n")[1])
    assert header["library_name"] == "transformers"
    assert header["pipeline_tag"] == "audio-text-to-text"
    assert header["language"] == ["en"]
    assert {"audio-contribution", "sft", "grpo"} <= set(header["tags"])
    assert not {"base_model", "datasets", "license"} & set(header)  # none of them is on the hub, and no terms are ours
    assert f"| Start | {TINY} |" in text
    assert "| Start | the model of stage 1 |" in text
    training = part(text, "Training")
    first, second = training.split("### 2. ")
    assert "### 1. SFT on the weak part" in first
    assert second.startswith("GRPO on the strong part")
    for one, steps in ((first, 2), (second, 1)):
        assert "| Split | halves |" in one
        assert "| Rule | votes, threshold 0.5, under silence |" in one
        assert "| Raters | mock |" in one
        assert f"| Steps | {steps} |" in one
        assert "| Learning rate | 0.001, cosine" in one
    assert "| Rewards | accuracy 2, format 0.5 |" in second
    assert "Rewards" not in first
    assert "Nothing was measured of this model" in part(text, "Known limits")


def test_its_commands_make_the_same_weights(made: Path, tmp_path: Path) -> None:
    commands, recipe = blocks(part((made / card.CARD).read_text(), "How to make it again"))
    (tmp_path / "recipe.yaml").write_text(recipe)
    with contextlib.chdir(tmp_path):
        for line in commands.splitlines():
            program, *words = shlex.split(line)
            assert program == "audiocontrib"
            call(*words)
    again = tmp_path / "trained" / "grpo" / "model" / "model.safetensors"
    assert again.read_bytes() == (made / "model.safetensors").read_bytes()


def run_script(lines: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, Any]]:
    """What a script prints in a folder with a clip, and its names."""
    soundfile.write(folder / "clip.wav", decode(demo_rows(1).items[0].audio).samples, RATE)
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile("\n".join(lines), "the card", "exec"), names)
    return said.getvalue(), names


def test_the_script_of_the_card_runs_in_the_folder_of_the_model(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [script] = blocks(part((made / card.CARD).read_text(), "Use"))
    said, _ = run_script(script.splitlines(), made, monkeypatch)
    assert said.endswith("\n")


@pytest.mark.parametrize("name", [TINY, "tiny-qwen2-audio", "tiny-audio-flamingo-3"])
def test_the_script_asks_as_scoring_does(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(name, device="cpu")
    family = FAMILIES.find(model.fingerprint()["model_type"])
    shipped = ROOT / "audiocontrib" / "models" / "tiny" / name
    for file in shipped.iterdir():
        (tmp_path / file.name).symlink_to(file)
    said, names = run_script(
        usage(family, type(model.net).__name__, 30.0, find_prompt(DEFAULT_PROMPT)), tmp_path, monkeypatch
    )
    prompt = make_prompt(names["question"], names["options"], has_audio=True)
    sound = decode(Clip("clip.wav", str(tmp_path)))
    asked = Request(demo_rows(1).items[0], condition("audio"), 0, prompt, sound)
    assert names["inputs"]["input_ids"][0].tolist() == model.encode(prompt, sound)[0]
    [reply] = model.generate([asked], 128)
    assert said.strip() == reply.text.strip()
    assert said.strip()


def test_a_stage_that_starts_from_a_checkpoint(chain: Path, made: Path) -> None:
    [one] = training_record.stages_of(chain / "trained" / "mine" / "sft" / "checkpoints" / "checkpoint-1")
    assert (one.stage, one.steps, one.checkpoint) == ("sft", 1, True)
    assert [one.stage for one in training_record.stages_of(made)] == ["sft", "grpo"]
    assert training_record.stages_of(ROOT / "audiocontrib" / "models" / "tiny" / TINY) == ()
    assert training_record.stages_of(Path("Qwen/Qwen2.5-Omni-7B")) == ()


def test_of_a_checkpoint_the_next_stage_is_made_again_from_it(chain: Path, made: Path, tmp_path: Path) -> None:
    first, second = training_record.stages_of(made)
    text = card.write_card(tmp_path, [replace(first, checkpoint=True, steps=1), second]).read_text()
    commands = blocks(part(text, "How to make it again"))[0].splitlines()
    assert "--model trained/sft/checkpoints/checkpoint-1 " in commands[-1]
    assert "| Steps | 1 (a checkpoint of a longer training) |" in text


def test_what_was_not_as_usual_is_told(made: Path, tmp_path: Path) -> None:
    first, second = training_record.stages_of(made)
    assert "| Also |" not in (made / card.CARD).read_text()
    settings = replace(second.settings, pass_audio=(0.05, 0.95), abstain_option="I cannot tell", silent_replies=1)
    second = replace(second, devices=8, settings=settings)
    text = card.write_card(tmp_path, [first, second]).read_text()
    assert "| Also | pass\\_audio \\[0.05, 0.95\\], abstain\\_option I cannot tell |" in text
    assert "abstaining 2 (1 replies hear silence)" in text
    again = part(text, "How to make it again")
    assert (
        blocks(again)[0].splitlines()[-1].startswith("accelerate launch --num_processes 8 -m audiocontrib train grpo ")
    )
    assert "With the `--config_file` of accelerate that was used." in again


def test_what_is_on_the_hub_is_named_in_the_header(made: Path, tmp_path: Path) -> None:
    first, second = training_record.stages_of(made)
    first = replace(first, start="Qwen/Qwen2.5-Omni-7B")
    data = replace(first.provenance.data, hub="inclusionAI/AudioMCQ")
    both = [replace(one, provenance=replace(first.provenance, data=data)) for one in (first, second)]
    header = yaml.safe_load(card.write_card(tmp_path, both).read_text().split("---\n")[1])
    assert header["base_model"] == "Qwen/Qwen2.5-Omni-7B"
    assert header["datasets"] == ["inclusionAI/AudioMCQ"]


def test_rows_that_no_recipe_chose_have_no_commands(chain: Path, tmp_path: Path) -> None:
    trained = train_sft(sft(steps=1, warmup=0), demo_rows(4), TINY, tmp_path / "free", progress=False)
    assert "no command makes them again" in part((trained.model / card.CARD).read_text(), "How to make it again")
    recipe = read_training_recipe(chain / "mine.yaml")
    rows = stage_rows(recipe, "sft", chain / "runs" / "d", "halves")
    settings = sft(part="weak", steps=1, warmup=0)  # not as the recipe says
    other = train_sft(settings, rows, TINY, tmp_path / "other", progress=False)
    assert "no command makes them again" in part((other.model / card.CARD).read_text(), "How to make it again")


def test_texts_of_data_sets_stay_texts(made: Path, tmp_path: Path) -> None:
    first, second = training_record.stages_of(made)
    evil = replace(
        first.provenance, split=EVIL, run=EVIL, data=DataSource(name=EVIL, hub=EVIL),
        rule=SplitSettings(rule=EVIL, models=(EVIL,)),
    )  # fmt: skip
    both = [replace(one, notes=(EVIL,), provenance=evil, start=EVIL) for one in (first, second)]
    text = card.write_card(tmp_path, both).read_text()
    yaml.safe_load(text.split("---\n")[1])
    body = re.sub(r"(?s)^(```+)\w*\n.*?\n\1$", "", text.split("---\n", 2)[2], flags=re.MULTILINE)
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(body)
    assert "alert(1)" in html
    for mark in ("<script", "<a ", "<em>", "<strong>"):
        assert mark not in html
    assert EVIL in unescape(html)


def test_results_are_a_table_and_what_is_missing_is_a_dash(made: Path, tmp_path: Path) -> None:
    change = results.MeasuredChange(
        dataset="d", part="strong", measure="accuracy, audio", quantity="accuracy", condition="audio", n=1200,
        before=0.5, now=0.628, change=0.128, low=0.1, high=0.15, p_holm=0.0123,
    )  # fmt: skip
    none = replace(change, part="weak", low=float("nan"), high=None, p_holm=None)
    text = card.write_card(tmp_path, training_record.stages_of(made), results=[change, none]).read_text()
    rows = [line for line in part(text, "Results").splitlines() if line.startswith("| ")]
    assert rows[1:] == [
        r"| strong | accuracy, audio | 1,200 | 50% | 63% | +0.13 \[0.10,0.15\] | 0.0123 |",
        "| weak | accuracy, audio | 1,200 | 50% | 63% | +0.13 | – |",
    ]
    assert "Nothing was measured" not in text
    [model] = yaml.safe_load(text.split("---\n")[1])["model-index"]
    found = [(one["dataset"]["config"], one["metrics"]) for one in model["results"]]
    metric = {"type": "accuracy", "value": 0.628, "name": "accuracy, audio"}
    assert found == [("strong", [metric]), ("weak", [metric])]
    assert MarkdownIt("gfm-like", {"linkify": False}).render(part(text, "Results")).count("<tr>") == 3


def test_metrics_are_read_by_query_beside_the_views_of_a_run(chain: Path) -> None:
    sql = "select m.step, m.reward, count(i.item_id) as n from '{}' m, items i group by all order by 1"
    named = ("--file", "trained")
    with contextlib.chdir(chain):
        found = CliRunner().invoke(
            main, ["query", sql.format("trained/mine/grpo/metrics.parquet"), *named, "--format", "csv"]
        )
        none = CliRunner().invoke(main, ["query", sql.format("trained/none/grpo/metrics.parquet"), *named])
    assert found.exit_code == 0, found.output
    [head, row] = found.stdout.splitlines()
    assert head == "step,reward,n"
    step, reward, n = row.split(",")
    assert (step, n) == ("1", "24")
    assert 0 <= float(reward) <= 2.5
    assert none.exit_code == 2
    error = none.stderr.splitlines()[-1]
    assert error.startswith("error: ")
    assert "trained/none/grpo/metrics.parquet" in error


def test_the_citation_is_that_of_the_project(made: Path) -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    [text] = blocks(part((made / card.CARD).read_text(), "Citation"))
    paper = cited["references"][0]
    authors = " and ".join(f"{one['family-names']}, {one['given-names']}" for one in paper["authors"])
    assert f"author  = {{{authors}}}" in text
    assert paper["title"] in text
    assert "arXiv:2509.21060" in text
    assert f"version = {{{cited['version']}}}" in text

"""Every field of every configuration, by introspection: an unknown word, a wrong type, an unknown field."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import pytest
import yaml

import audiocontrib
from audiocontrib.api.train import changed_recipe
from audiocontrib.config import assignments, build
from audiocontrib.config.words import allowed
from audiocontrib.errors import UsageError
from audiocontrib.export.choice import RowOptions
from audiocontrib.models.cascade.recipe import CascadeRecipe, read_cascade_recipe
from audiocontrib.models.endpoint.address import Address, EndpointOptions
from audiocontrib.models.mock import MockOptions, Planted, mock_model
from audiocontrib.splits import RULES
from audiocontrib.splits.recipe import SplitRecipe, read_split_recipe
from audiocontrib.splits.settings import check_settings, settings_class
from audiocontrib.training import TrainingRecipe, read_training_recipe
from audiocontrib.weak_to_strong import WeakToStrongPlan, read_plan

PACKAGE = Path(audiocontrib.__file__).parent

STAGE = {"part": "weak", "learning_rate": "1e-4", "batch": 8, "steps": 3, "watch": {"items": 20, "every": 3}}
PART = {"weights": "somewhere"}
EXAMPLE = {"evidence": "Nothing is heard.", "question": "What is heard?", "answer": "nothing"}
DATA = {"dataset": "demo"}
FILES: dict[type, tuple[Callable[[Path], Any], dict[str, Any]]] = {
    TrainingRecipe: (read_training_recipe, {"about": "a", "model": "m", "sft": STAGE, "grpo": STAGE}),
    SplitRecipe: (read_split_recipe, {}),
    CascadeRecipe: (
        read_cascade_recipe,
        {"name": "c", "reader": PART | {"examples": [EXAMPLE]}, "recogniser": PART, "tagger": PART, "gate": {}},
    ),
    WeakToStrongPlan: (
        read_plan, {"about": "a", "training": "t.yaml", "raters": ["mock"], "data": DATA, "held_out": DATA},
    ),
}  # fmt: skip
"""What is read from a file: how, and the least that it may hold, with every configuration inside it."""

FREE = {
    "about", "model", "sft.rater", "grpo.rater", "grpo.abstain_option", "sft.abstain_option",
    *(f"{stage}.{name}" for stage in ("sft", "grpo") for name in ("freeze[0]", "also[0]", "keep_features", "prompt")),
    "sft.run_name", "grpo.run_name",
    "models[0]", "prompt",
    "name", *(f"{part}.{name}" for part in ("reader", "recogniser", "tagger") for name in ("weights", "revision")),
    *(f"{part}.files.x" for part in ("reader", "recogniser", "tagger")),
    *(f"reader.examples[0].{name}" for name in EXAMPLE), "gate.voices[0]", "tagger.ignore[0]",
    "training", *(f"{d}.{name}" for d in ("data", "held_out") for name in ("data", "audio_root", "revision", "split")),
    "data.mapping.x", "held_out.mapping.x",
}  # fmt: skip
"""Fields that hold a person's own words: no word is unknown there."""


class Field(NamedTuple):
    cls: type
    """Of the file."""
    path: tuple[str | int, ...]
    hint: Any

    @property
    def name(self) -> str:
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")


def bare(hint: Any) -> Any:
    """Without notes and null."""
    if get_origin(hint) is Annotated:
        return bare(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return bare(kinds[0]) if len(kinds) == 1 else hint
    return hint


def walk(cls: type, hint: Any, path: tuple[str | int, ...] = ()) -> Iterator[Field]:
    """The fields in a configuration, those of its parts too."""
    kind = bare(hint)
    if path:
        yield Field(cls, path, hint)
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        for one in fields(kind):
            yield from walk(cls, hints[one.name], (*path, one.name))
    elif get_origin(kind) is tuple and get_args(kind)[-1:] == (Ellipsis,):
        yield from walk(cls, get_args(kind)[0], (*path, 0))
    elif get_origin(kind) is not None and isinstance(get_origin(kind), type) and issubclass(get_origin(kind), Mapping):  # noqa: SIM102
        if get_args(kind)[1] is not Any:
            yield from walk(cls, get_args(kind)[1], (*path, "x"))


def configurations() -> dict[str, type]:
    """All classes in the package that are made by the decorator."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        if "\n@config\nclass " in file.read_text():
            module = import_module(".".join(("audiocontrib", *file.relative_to(PACKAGE).with_suffix("").parts)))
            own = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
            found |= {one.__name__: one for one in own if hasattr(one, "__pydantic_fields__")}
    return found


ALL = [field for cls in FILES for field in walk(cls, cls)]
ENDS = [field for field in ALL if not is_dataclass(bare(field.hint))]
WORDED = [f for f in ENDS if f.name not in FREE and get_origin(bare(f.hint)) not in (tuple, Mapping)]


def changed(values: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """The values with another one at a place."""
    if not path:
        return new
    step, *rest = path
    if isinstance(step, int):
        return [changed(values[0] if isinstance(values, list) and values else {}, tuple(rest), new)]
    held = values if isinstance(values, dict) else {}
    return held | {step: changed(held.get(step, {}), tuple(rest), new)}


def refusal(folder: Path, cls: type, values: Any) -> str:
    """What is said of a file that holds the values."""
    read, _ = FILES[cls]
    path = folder / "given.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    return said.removeprefix(f"{path}: ")


def test_the_least_can_be_read(tmp_path: Path) -> None:
    for read, values in FILES.values():
        (tmp_path / "given.yaml").write_text(yaml.safe_dump(values))
        assert read(tmp_path / "given.yaml")


def test_every_configuration_is_tried() -> None:
    reached = {bare(field.hint).__name__ for field in ALL if is_dataclass(bare(field.hint))}
    reached |= {cls.__name__ for cls in FILES}
    in_a_line = {Planted, MockOptions, EndpointOptions, Address, RowOptions}  # below; rows: tests/export
    bases = {"Stage", "Objective", "Part", "Distilled", "Listening"}
    assert configurations().keys() == reached | {cls.__name__ for cls in in_a_line} | bases
    assert {f.name for f in ALL} >= FREE - {"sft.rater", "sft.abstain_option"}


@pytest.mark.parametrize("field", WORDED, ids=lambda f: f"{f.cls.__name__}.{f.name}")
def test_an_unknown_word_in_any_field(tmp_path: Path, field: Field) -> None:
    said = refusal(tmp_path, field.cls, changed(FILES[field.cls][1], field.path, "adio"))
    names = (f"{field.name} is 'adio', but must be ", f"{field.name}: no ", f"{field.name}: it must ")
    assert said.startswith(names)


@pytest.mark.slow
@pytest.mark.parametrize("field", ALL, ids=lambda f: f"{f.cls.__name__}.{f.name}")
def test_a_wrong_type_in_any_field(tmp_path: Path, field: Field) -> None:
    """A list, and a mapping."""
    for wrong in ([["x"]], {"x": {"y": "z"}}):
        said = refusal(tmp_path, field.cls, changed(FILES[field.cls][1], field.path, wrong))
        assert field.name in said, wrong
        assert "but must be " in said or "there is no field " in said, wrong


@pytest.mark.parametrize("cls", FILES, ids=lambda cls: cls.__name__)
def test_an_unknown_field_anywhere(tmp_path: Path, cls: type) -> None:
    places = [(), *(f.path for f in walk(cls, cls) if is_dataclass(bare(f.hint)))]
    for path in places:
        said = refusal(tmp_path, cls, changed(FILES[cls][1], (*path, "no_such_field"), 1))
        name = Field(cls, (*path, "no_such_field"), None).name
        assert said.startswith(f"there is no field {name!r}; there are: "), said


@pytest.mark.parametrize("cls", FILES, ids=lambda cls: cls.__name__)
def test_a_needed_field_that_is_missing(tmp_path: Path, cls: type) -> None:
    values = FILES[cls][1]
    for one in fields(cls):
        if one.default is MISSING and one.default_factory is MISSING:
            said = refusal(tmp_path, cls, {key: value for key, value in values.items() if key != one.name})
            assert said.startswith(f"the field {one.name!r} is missing; it must be ")


@pytest.mark.slow
@pytest.mark.parametrize("cls", FILES, ids=lambda cls: cls.__name__)
def test_a_truth_value_is_no_number_and_no_number_is_nan(tmp_path: Path, cls: type) -> None:
    numbers = [f for f in walk(cls, cls) if allowed(f.hint).startswith(("a number", "a whole number"))]
    assert cls is SplitRecipe or len(numbers) > 2
    for field in numbers:
        signed = allowed(field.hint) == "a number" or allowed(field.hint).startswith("a number between -")
        below = () if signed else (-1, -0.5)
        wrongs = (True, float("nan"), float("inf"), "0,5", "1.2.3", "", "5 %", "x", "1e999", 10**400, [1], *below)
        for wrong in wrongs:
            said = refusal(tmp_path, cls, changed(FILES[cls][1], field.path, wrong))
            assert said.startswith(f"{field.name} is "), (field.name, wrong)
        if allowed(field.hint).startswith("a whole number"):
            assert "whole number" in refusal(tmp_path, cls, changed(FILES[cls][1], field.path, 2.5))


WRONG_TEXTS = ("nan", "inf", "-1", "-0.5", "1e999", "1" + "0" * 400, "x", "true", "0,5", "5 %", "[1]", "''", "{a: 1}")


def numbers(cls: type) -> list[str]:
    """The fields of a configuration that take numbers from 0 on, and nothing else."""
    hints = get_type_hints(cls, include_extras=True)
    said = {one.name: allowed(hints[one.name]) for one in fields(cls)}
    return [name for name, words in said.items() if re.match(r"a (whole )?number (of at least|above|between 0)", words)]


@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_a_number_behind_set_of_a_training_is_one(tmp_path: Path, stage: str) -> None:
    (tmp_path / "given.yaml").write_text(yaml.safe_dump(FILES[TrainingRecipe][1]))
    recipe = read_training_recipe(tmp_path / "given.yaml")
    names = numbers(type(getattr(recipe, stage)))
    assert {"learning_rate", "batch", "steps", "seconds"} <= set(names)
    for name in names:
        for text in WRONG_TEXTS:
            with pytest.raises(UsageError, match=rf"^--set: {name} is [^\n]*$") as caught:
                changed_recipe(recipe, stage, assignments([f"{name}={text}"], "--set", "x=1"), "--set")  # type: ignore[arg-type]
            assert len(str(caught.value)) < 600, (name, text)


def test_a_number_behind_set_of_a_split_is_one() -> None:
    found = [(None, "threshold"), *((rule, name) for rule in sorted(RULES) for name in numbers(settings_class(rule)))]
    assert len(found) > 5
    for rule, name in found:
        asked = SplitRecipe() if rule is None else SplitRecipe(rule=rule)
        for text in WRONG_TEXTS:
            with pytest.raises(UsageError, match=rf"^--set: (rule {rule}: )?{name} is [^\n]*$") as caught:
                asked.with_values(assignments([f"{name}={text}"], "--set", "x=1"), "--set")
            assert len(str(caught.value)) < 600, (name, text)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_setting_of_every_rule(tmp_path: Path, rule: str) -> None:
    cls = settings_class(rule)
    for one in fields(cls):
        for wrong in ({"x": "y"}, [["x"]]):
            said = refusal(tmp_path, SplitRecipe, {"rule": rule, "settings": {one.name: wrong}})
            assert said.startswith(f"settings: rule {rule}: {one.name} is "), said
        assert check_settings(rule, {one.name: one.default}) == {one.name: one.default}
    said = refusal(tmp_path, SplitRecipe, {"rule": rule, "settings": {"no_such_setting": 1}})
    assert said.startswith(f"settings: rule {rule}: there is no field 'no_such_setting'; ")


@pytest.mark.parametrize("name", [one.name for one in fields(MockOptions)])
def test_every_field_of_a_mock(name: str) -> None:
    hint = get_type_hints(MockOptions, include_extras=True)[name]
    if not allowed(hint).startswith("a text"):
        with pytest.raises(UsageError, match=rf"^mock: {name} is 'adio', but must be .*$"):
            mock_model(f"{name}=adio")
        with pytest.raises(UsageError, match=rf"^Planted: {name} is \['x'\], but must be .*$"):
            Planted(**{name: ["x"]})
    with pytest.raises(UsageError, match=rf"^mock: there is no field '{name}x'; did you mean '{name}'\?$"):
        mock_model(f"{name}x=1")


@pytest.mark.parametrize("name", [one.name for one in fields(EndpointOptions)])
def test_every_option_of_an_endpoint_without_repeating_it(name: str) -> None:
    wrong = " " if name in ("name", "answers_as") else "s3cret-value"
    with pytest.raises(UsageError, match=rf"^endpoint m: {name} must be .*$") as caught:
        Address.parse(f"m@http://localhost/v1,{name}={wrong}")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(UsageError, match=rf"^endpoint m: there is no field '{name}x'; did you mean '{name}'\?$"):
        Address.parse(f"m@http://localhost/v1,{name}x=1")


@pytest.mark.parametrize("cls", configurations().values(), ids=lambda cls: cls.__name__)
def test_made_in_python_it_is_checked_too(cls: type) -> None:
    with pytest.raises(UsageError, match=rf"^{cls.__name__}: there is no field 'no_such_field'; "):
        cls(no_such_field=1)
    with pytest.raises(UsageError, match=rf"^{cls.__name__}: give its fields by name: "):
        cls(1)
    with pytest.raises(UsageError, match="^here: it is empty, but must be fields and values"):  # noqa: RUF043
        build(cls, None, "here")

"""The planted task of benchmarks/listening_objectives.py: what the marks say, that arms differ as told, its tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT
from helpers.lazy import lazy

sys.path.append(str(ROOT / "benchmarks"))
planted = lazy("listening_objectives")
pd = lazy("pandas")


@pytest.fixture
def plan(tmp_path: Path) -> Any:
    return planted.Plan(tmp_path, 40, 24, 0.8, 3, 2, 1, 1)


def test_marks_betray_most_of_the_training_and_mislead_half_of_the_rest(plan: Any) -> None:
    def marks(items: Any) -> list[list[int]]:
        return [[i for i, text in enumerate(item.choices) if text.endswith(" *")] for item in items]

    trained, rest = list(planted.to_train_on(plan)), list(planted.held_out(plan))
    told = marks(trained)
    assert all(places in ([], [item.answer]) for item, places in zip(trained, told, strict=True))
    assert 0.6 < sum(map(bool, told)) / 40 < 1
    for place, (item, places) in enumerate(zip(rest, marks(rest), strict=True)):
        assert len(places) == place % 2
        assert item.answer not in places
    assert all(item.extra["needs_audio"] for item in (*trained, *rest))
    assert not {item.id for item in trained} & {item.id for item in rest}


def test_arms_differ_from_the_plain_one_of_their_stage_in_what_is_told(plan: Any) -> None:
    for arm in planted.ARMS.values():
        plain = planted.settings(planted.ARMS[planted.PLAIN[arm.stage]], plan, 3)
        own = planted.settings(arm, plan, 3)
        differs = {name for name in type(own).__dataclass_fields__ if getattr(own, name) != getattr(plain, name)}
        assert differs == set(arm.changes)
    assert len({plan.folder(name, 0) for name in planted.ARMS}) == len(planted.ARMS)


def test_the_table_counts_seeds(plan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def row(arm: str, seed: int, misled: float, gain: float) -> dict[str, Any]:
        told = {"misled": misled, "audio": 0.6, "silence": 0.4, "gain": gain, "relative": gain + 0.1}
        return {"arm": arm, "stage": "sft", "seed": seed, "step": 3} | told

    found = pd.DataFrame(
        [row("SFT", 0, 0.4, 0.2), row("SFT", 1, 0.4, 0.2), row("RT-OPD", 0, 0.5, 0.3), row("RT-OPD", 1, 0.5, 0.1)]
    )
    monkeypatch.setattr(planted, "heard", lambda *_: (None, None))
    monkeypatch.setattr(planted, "listening_change", lambda *_: type("V", (), {"verdict": "listens more"}))
    start = {"misled": 0.8, "audio": 0.6, "silence": 0.4, "gain": 0.2, "relative": 0.3}
    told = planted.table(plan, found, start).splitlines()
    assert told[2].startswith("| before | 0.80 | 0.60 | 0.40 | 0.20 | 0.30 |")
    assert told[4].endswith("| 2 of 2 | 1 of 2 | 2 of 2 |")
    assert planted.figure(found, start).axes

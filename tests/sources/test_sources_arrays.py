"""JSON arrays that are longer than the window through which they are read."""

from __future__ import annotations

import io
import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from helpers.manifests import ids, quarantined, row, write
from hypothesis import given
from hypothesis import strategies as st

from audiocontrib.errors import AudiocontribError
from audiocontrib.sources import jsonarrays, load_items
from audiocontrib.sources.files import read_rows

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(VALUES, max_size=8), st.integers(1, 40), st.booleans(), st.sampled_from([None, 1]))
def test_any_array_through_any_window(values: list[Any], chunk: int, plain: bool, indent: int | None) -> None:
    """Numbers, escapes and characters of several bytes break off at every place."""
    text = json.dumps(values, ensure_ascii=plain, indent=indent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonarrays, "CHUNK", chunk)
        window = jsonarrays.Window(Path("x.json"), io.BytesIO(("\ufeff \n" + text + "\n").encode(errors="replace")))
        assert window.next() == "["
        read = list(window.elements())
    assert [json.dumps(value) for _, value, _ in read] == [json.dumps(json.loads(part)) for _, _, part in read]
    assert len(read) == len(values)
    assert [line for line, _, _ in read] == sorted(line for line, _, _ in read)
    if plain:
        assert [value for _, value, _ in read] == values


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonarrays, "CHUNK", 100)
    monkeypatch.setattr(jsonarrays, "MAX_ELEMENT", 5000)


@pytest.mark.usefixtures("narrow")
def test_lines_are_counted_across_windows(tmp_path: Path) -> None:
    elements = [json.dumps(row(n, answer="?" if n in (7, 40) else "cat"), indent=1) for n in range(50)]
    path = write(tmp_path / "my.json", "[\n" + ",\n".join(elements) + "\n]")
    height = elements[0].count("\n") + 1
    assert [line for line, _ in quarantined(load_items(str(path)))] == [2 + 7 * height, 2 + 40 * height]


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(
    ("tail", "line", "reason"),
    [
        ("", 31, "Expecting ',' or ']'"),
        (',\n{"id": ', 32, "Expecting value"),
        (",\n{'id': 1}]", 32, "Expecting property name enclosed in double quotes"),
        ("\n5]", 32, "Expecting ',' or ']'"),
        ("]\n\n[]", 33, "Extra data"),
        (',\n{"id": "' + "x" * 9000, 32, "Unterminated string"),
        (",\n" + "[" * 4000, 32, "nested too deeply"),
        (",\n" + "[" * 101 + "]" * 101 + "]", 32, "nested too deeply"),
        (",\n" + '{"a":' * 101 + "1" + "}" * 101 + "]", 32, "nested too deeply"),
    ],
)
def test_a_fault_names_its_line(tail: str, line: int, reason: str, tmp_path: Path) -> None:
    path = write(tmp_path / "my.json", "[\n" + ",\n".join(json.dumps(row(n)) for n in range(30)) + tail)
    with pytest.raises(AudiocontribError) as caught:
        load_items(str(path))
    assert str(caught.value).startswith(f"{path}:{line}: not JSON: {reason}")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("narrow")
def test_a_number_that_is_too_long_ends_nothing(tmp_path: Path) -> None:
    rows = [json.dumps(row(n)) for n in range(30)]
    path = write(tmp_path / "my.json", "[\n" + ",\n".join([*rows, "9" * 4999, json.dumps(row(30))]) + "]")
    items = load_items(str(path))
    assert len(items) == 31
    (left_out,) = items.quarantined
    assert (left_out.line, left_out.reason) == (32, "a whole number has too many digits")


@pytest.mark.usefixtures("narrow")
def test_bytes_that_are_no_utf_8_are_found_in_their_line(tmp_path: Path) -> None:
    path = tmp_path / "my.json"
    whole = ",\n".join(json.dumps(row(n)) for n in range(9)).encode()
    for bad in (b',\n"\xff"]', b',\n"\xe6\xad'):
        with pytest.raises(AudiocontribError, match=r"my.json:11: not UTF-8"):
            load_items(str(write(path, b"[\n" + whole + bad)))


@pytest.mark.slow
def test_a_large_array_is_read_in_little_memory(tmp_path: Path) -> None:
    r = random.Random(1)
    texts = [json.dumps(row(n, cot="".join(r.choices("abcdefgh 歌", k=10_000)))) for n in range(900)]
    path = write(tmp_path / "my.json", "[" + ",".join(texts) + "]")
    del texts
    tracemalloc.start()
    count = sum(1 for _ in read_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 900
    assert path.stat().st_size > 10_000_000
    assert peak < 8_000_000
    assert ids(load_items(str(path), limit=2)) == ["q0", "q1"]

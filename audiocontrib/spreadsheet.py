"""Tables as CSV for spreadsheets, in which no text runs as a formula."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile(r"[=+\-@\t\r]")
"""How a cell starts that a spreadsheet runs."""
NUMBER = re.compile(r"[+-]?[\d.]+([eE][+-]?\d+)?")


def csv_text(frame: pd.DataFrame) -> str:
    """A table as CSV. Texts that a spreadsheet would run get a ``'`` before them, as it does itself; numbers stay."""
    import pandas as pd

    named = frame.rename(columns=_no_formula)
    for place, dtype in enumerate(frame.dtypes):
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype)):
            cells = [_no_formula(cell) for cell in frame.iloc[:, place]]
            named.isetitem(place, pd.array(cells, object))  # else whole numbers beside a null are floats
    return str(named.to_csv(index=False))


def _no_formula(value: Any) -> Any:
    if isinstance(value, str) and FORMULA.match(value) and not NUMBER.fullmatch(value):
        return f"'{value}"
    return value

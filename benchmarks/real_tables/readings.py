"""The same file read a second time, by pandas and scikit-learn, column by column."""

from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
from sklearn.compose import make_column_selector
from sklearn.utils.multiclass import type_of_target

from benchmarks.real_tables.listed import Table

PARQUET = b"PAR1"


def second(table: Table, path: Path) -> "pd.DataFrame":
    """Return the file as pandas reads it, with the list's options where its defaults cannot."""
    with path.open("rb") as file:
        parquet = file.read(4) == PARQUET
    return pd.read_parquet(path) if parquet else pd.read_csv(path, **asked(table))


def asked(table: Table) -> dict[str, Any]:
    """Return the options for pandas; `header = false` of the list is its None."""
    found = dict(table.pandas)
    if found.get("header") is False:
        found["header"] = None
    return found


def kinds(frame: "pd.DataFrame") -> list[str]:
    """Return "number" or "text" for each column, as scikit-learn tells numbers from categories."""
    numbers = set(make_column_selector(dtype_include="number")(frame))
    return ["number" if name in numbers else "text" for name in frame.columns]


def task(frame: "pd.DataFrame", place: int) -> str:
    """Return "numbers" or "classes", as scikit-learn tells a target's type by its values alone.

    Whole numbers are classes to it, however many there are.
    """
    values = frame.iloc[:, place].dropna()
    if not pd.api.types.is_numeric_dtype(values):
        values = values.astype(str)
    return "numbers" if type_of_target(values.to_numpy()).startswith("continuous") else "classes"

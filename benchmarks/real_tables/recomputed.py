"""What needs no network, computed a second time from pandas' reading alone."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import log_loss

from adamas.lab.own.spec import Spec
from benchmarks.real_tables.cells import Cells
from benchmarks.real_tables.listed import Table

HELD = 5  # one row in five judges
LARGEST = re.compile(r"largest has ([\d.]+)%")


def again(
    table: Table, path: Path, frame: Any, kind: str, blind: float, cells: Cells
) -> dict[str, tuple[str, str]]:
    """Return pairs of texts: what the lab says, and what follows from the file and its rules.

    `blind` is the lab's loss of the blind answer on the split of the first seed that judges.

    The rules: rows without a target are left out, and classes of one row; of classes a fifth of
    each judges, at least one row, otherwise a fifth of all rows. A blind answer gives the shares of
    the training rows' classes, and its loss is taken over those that judge; for numbers it is 1.
    """
    values = frame[table.target].dropna()
    task: Any = Spec(str(path), table.target).problem().task(1)
    (_, train), (_, judges) = task.split.data
    found = LARGEST.search(" ".join(cells.texts))
    ours = {
        "rows": f"{len(train) + len(judges):,}",
        "largest": f"{found.group(1)}%" if found else "",
        "blind": f"{blind:.3g}",
        "judges": f"{len(judges):,}",
    }
    theirs = of_numbers(values) if kind == "numbers" else of_classes(values, train, judges)
    return {key: (text, theirs[key]) for key, text in ours.items()}


def of_numbers(values: Any) -> dict[str, str]:
    """Return the same of a target of numbers."""
    judges = f"{len(values) // HELD:,}"
    return {"rows": f"{len(values):,}", "largest": "", "blind": "1", "judges": judges}


def of_classes(values: Any, train: Any, judges: Any) -> dict[str, str]:
    """Return the same of a target of classes; for the loss, of the lab's split of the rows."""
    counts = values.value_counts()
    counts = counts[counts > 1]
    known = np.bincount(train) / len(train)
    loss = log_loss(judges, np.tile(known, (len(judges), 1)), labels=range(len(known)))
    held = sum(max(1, round(count / HELD)) for count in counts)
    return {
        "rows": f"{counts.sum():,}",
        "largest": f"{(counts / counts.sum()).max():.1%}",
        "blind": f"{loss:.3g}",
        "judges": f"{held:,}",
    }

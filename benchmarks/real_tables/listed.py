"""The list of tables: what `tables.toml` says of each."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("tables.toml")


@dataclass(frozen=True)
class Table:
    """One table: `file` of the archive of `package` in `version`, and what is expected of it.

    `task` is "numbers", "classes" or "refused", and `says` holds what a refusal has to name.
    `options` go to `adamas compare`, `pandas` to `pandas.read_csv`; `suite` tables are read in the
    test suite, and `recomputed` ones have their numbers computed again.
    """

    package: str
    version: str
    file: str
    sha256: str
    target: str | None
    task: str
    says: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    pandas: dict[str, Any] = field(default_factory=dict)
    suite: bool = False
    recomputed: bool = False

    @property
    def name(self) -> str:
        """Return the file's own name."""
        return re.split("[/!]", self.file)[-1]

    @property
    def slug(self) -> str:
        """Return a name of its own for files about this table.

        >>> Table("a-b", "1", "x/y.csv", "", None, "refused").slug
        'a-b-y-csv'
        """
        return re.sub(r"[^\w]+", "-", f"{self.package}-{self.name}")


def tables(path: Path = LIST) -> list[Table]:
    """Return the tables of the list, in its order."""
    with path.open("rb") as file:
        tree = tomllib.load(file)
    return [
        Table(package["name"], package["version"], **entry(one))
        for package in tree["package"]
        for one in package["table"]
    ]


def entry(one: dict[str, Any]) -> dict[str, Any]:
    """Return a table of the list with its lists as tuples; without a target it has None."""
    found = {key: tuple(value) if isinstance(value, list) else value for key, value in one.items()}
    return {"target": None, **found}

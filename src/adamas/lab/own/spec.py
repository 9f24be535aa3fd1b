"""What the user named on the command line, and the problem that it stands for.

A `Spec` is texts and numbers, so that it travels to worker processes where a `Problem`, which is
full of closures, cannot.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Protocol

from adamas.lab.needs import LabError
from adamas.lab.own import arrays, csv, from_python, parquet
from adamas.lab.own.files import check_file, checksum
from adamas.lab.own.frame import Frame
from adamas.lab.own.options import NOTHING_SAID, TableOptions
from adamas.lab.own.tabular import tabular_problem
from adamas.lab.problems import Problem
from adamas.lab.text import words
from adamas.lab.zoo import CATALOGUE, built_in

TEXT = (".csv", ".tsv", ".txt", ".data", ".dat", ".tab")
PACKED = (".gz", ".bz2", ".xz", ".zip")
READERS: dict[str, Callable[[Path, str | None], Frame]] = {
    ".parquet": parquet.read,
    ".npz": arrays.read,
}


class Entered(Protocol):
    """A problem that somebody entered: what it is called in a plan, and how any process gets it."""

    def identity(self) -> dict[str, Any]:
        """Return plain values that change with what is trained."""

    def problem(self) -> Problem:
        """Return the problem; the same object in one process."""


@dataclass(frozen=True)
class Spec:
    """What the user named: a built-in problem, a data file, or `mine.py:problem`.

    `target` names the column to predict, and `options` say more of a table, both for data files
    only. Relative paths are those of the process that resolves it.

    >>> Spec("digits").identity()
    {'text': 'digits', 'target': None, 'sha256': None}
    """

    text: str
    target: str | None = None
    options: TableOptions = NOTHING_SAID

    def identity(self) -> dict[str, Any]:
        """Return what a plan is hashed over: text, target, the file's SHA-256, and options given.

        Of `mine.py:problem` only `mine.py` itself is hashed, not what it imports or reads. Raises
        `LabError` if the file cannot be read.
        """
        path = self.path()
        if path is not None:
            check_file(path)
        digest = None if path is None else checksum(path)
        named = {"text": self.text, "target": self.target, "sha256": digest}
        return {**named, **self.options.identity()}

    @property
    def for_tables(self) -> str | None:
        """Return the first option that only a table takes, as the user writes it, or None."""
        return f"--target {self.target}" if self.target is not None else self.options.first

    def problem(self) -> Problem:
        """Return what `resolve` does."""
        return resolve(self)

    def absolute(self) -> "Spec":
        """Return the same file by its whole path, for a process that stands elsewhere."""
        if self.path() is None:
            return self
        file, colon, function = self.text.rpartition(":")
        if colon and file.endswith(".py"):
            return replace(self, text=f"{os.path.abspath(file)}:{function}")
        return replace(self, text=os.path.abspath(self.text))

    @property
    def stem(self) -> str:
        """Return the name as a part of a directory's name.

        >>> Spec("some/data.csv.gz").stem, Spec("mine.py:problem").stem
        ('data', 'mine-problem')
        """
        file, _, function = self.text.partition(":")
        path = Path(file)
        name = path.with_suffix("").stem if path.suffix.lower() in PACKED else path.stem
        return f"{name}-{function}" if function else name

    def path(self) -> Path | None:
        """Return the file that is named, or None for the name of a built-in problem."""
        if self.text in CATALOGUE:
            return None
        file, colon, _ = self.text.rpartition(":")
        if colon and file.endswith(".py"):
            return Path(file)
        path = Path(self.text)
        return path if path.suffix or os.path.exists(path) or len(path.parts) > 1 else None


def named(text: str | None, target: str | None, options: TableOptions = NOTHING_SAID) -> Spec:
    """Return what the command line names; refuse None with what could be named."""
    if text is None:
        raise LabError("error.no_problem", names=", ".join(CATALOGUE))
    return Spec(text, target, options)


def resolve(spec: Spec) -> Problem:
    """Return the problem that `spec` names; the same object in one process, until the file changes.

    Raises `LabError`, one sentence that names what is wrong and the cure.
    """
    path = spec.path()
    if path is None:
        if spec.for_tables:
            raise LabError("error.target_of_name", option=spec.for_tables, text=spec.text)
        return built_in(spec.text)
    check_file(path)
    state = path.stat()
    return _resolve(spec, path.resolve(), (state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=8)
def _resolve(spec: Spec, path: Path, _state: tuple[int, int]) -> Problem:
    """Resolve a file; the last argument makes a changed file another key of the cache."""
    if path.suffix == ".py":
        if spec.for_tables:
            raise LabError("error.target_of_python", option=spec.for_tables, text=spec.text)
        return from_python.load(path, spec.text)
    return tabular_problem(_reader(path, spec.options.encoding)(path, spec.target), spec.options)


def _reader(path: Path, encoding: str | None) -> Callable[[Path, str | None], Frame]:
    """Return what reads a file of data, told by its name; Parquet, by what it begins with."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        raise LabError("error.one_array", file=path.name)
    if parquet.begins(path):
        suffix = ".parquet"
    if suffix in (*TEXT, *PACKED):
        return partial(csv.read, encoding=encoding)
    if suffix not in READERS:
        raise LabError("error.kinds", file=path.name, kinds=words("hint.kinds"))
    if encoding is not None:
        raise LabError("error.encoding_no_text", asked=encoding, file=path.name)
    return READERS[suffix]

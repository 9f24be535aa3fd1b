"""Every run as one line of JSON, named by a hash of what it computed, so that nothing runs twice.

While a comparison runs, lines are appended as runs end; a line that a killed process left half
written is dropped. When it is complete the file is written anew in the order of the plan, so that
an interrupted comparison leaves the same bytes as one that was not, whatever the number of workers.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from adamas.lab.needs import LabError

NAME = "runs.jsonl"


class Store:
    """The runs in one directory; a context that holds the file for this process alone."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        self.known: dict[str, dict[str, Any]] = {}
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Open, lock and read the file; `LabError` when another process has it."""
        self._file = self.path.open("a+b")
        try:
            lock(self._file, self.path)
            self._read(self._file)
        except BaseException:
            self._file.close()
            raise
        return self

    def _read(self, file: IO[bytes]) -> None:
        """Read every whole line, and cut off what a killed process left half written."""
        file.seek(0)
        text = file.read()
        whole = text.rfind(b"\n") + 1
        for line in text[:whole].splitlines():
            try:
                tree = json.loads(line)
                self.known[tree["key"]] = tree
            except (ValueError, KeyError, TypeError) as error:
                raise LabError(
                    f"{self.path} holds a line that is no run of adamas: {line[:60]!r}; move the "
                    "file away or choose another --out"
                ) from error
        if whole < len(text):
            file.truncate(whole)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file, which also unlocks it."""
        if self._file is not None:
            self._file.close()

    def add(self, tree: dict[str, Any]) -> None:
        """Keep one run, on disk before this returns to the caller."""
        assert self._file is not None
        self.known[tree["key"]] = tree
        self._file.write(line_of(tree))
        self._file.flush()

    def settle(self, keys: Sequence[str]) -> None:
        """Write the file anew: the runs `keys` in that order, then any others by their hash."""
        others = sorted(set(self.known) - set(keys))
        temporary = self.path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            for key in (*keys, *others):
                file.write(line_of(self.known[key]))
        os.replace(temporary, self.path)


def kept_runs(directory: Path) -> int:
    """Return how many runs a directory keeps."""
    path = directory / NAME
    return path.read_bytes().count(b"\n") if path.exists() else 0


def line_of(tree: dict[str, Any]) -> bytes:
    """Return one run as a line; equal runs are equal bytes."""
    return json.dumps(tree, sort_keys=True, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def lock(file: IO[bytes], path: Path) -> None:
    """Hold `file` until it is closed, where the system can."""
    try:
        import fcntl
    except ImportError:  # Windows: the file is not locked
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise LabError(
            f"another process is writing {path}; wait for it, or choose another --out"
        ) from error

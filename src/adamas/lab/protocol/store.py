"""Every run as one line of JSON, named by a hash of what it computed, so that nothing runs twice.

While a comparison runs, lines are appended as runs end; a line that a killed process left half
written is dropped. When it is complete the file is written anew in the order of the plan, so that
an interrupted comparison leaves the same bytes as one that was not, whatever the number of workers.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from adamas.lab.needs import LabError
from adamas.lab.protocol.lines import line_of, run_in
from adamas.lab.protocol.output import writing
from adamas.lab.text import words
from adamas.pages.told import system

NAME, LOCK = "runs.jsonl", ".lock"
BEGINNING = b'{"at": ['  # of every line


class Store:
    """The runs in one directory; a context that holds the directory for this process alone.

    `damaged` are the numbers of the lines that hold no run (1 is the first); the runs that they
    held are made again, and the lines are gone when the store is settled. Nothing is written before
    the first run is added.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        self.known: dict[str, dict[str, Any]] = {}
        self.damaged: list[int] = []
        self._whole = 0
        self._file: IO[bytes] | None = None
        self._held = ExitStack()

    def __enter__(self) -> Self:
        """Hold the directory and read the file.

        Raises `LabError` when another process has the directory, or the file holds no run at all.
        """
        self._held.enter_context(held(self.path.parent))
        try:
            self._read(self.path.read_bytes() if self.path.exists() else b"")
        except OSError as error:
            self._held.close()
            raise LabError(
                "error.store_unreadable", path=self.path, reason=system(error)
            ) from error
        except BaseException:
            self._held.close()
            raise
        return self

    def _read(self, text: bytes) -> None:
        """Read every whole line; what a killed process left half written counts for nothing."""
        self._whole = text.rfind(b"\n") + 1
        clashing = set()
        for number, line in enumerate(text[: self._whole].splitlines(), start=1):
            found = run_in(line)
            if found is None:
                self.damaged.append(number)
            elif self.known.setdefault(found["key"], found) != found:
                self.damaged.append(number)
                clashing.add(found["key"])
        for key in clashing:
            del self.known[key]
        half = text[self._whole :]
        foreign = not self.known and (
            self.damaged or half[: len(BEGINNING)] != BEGINNING[: len(half)]
        )
        if foreign:
            raise LabError("error.not_runs", path=self.path, beginning=text[:40])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file and let the directory go."""
        if self._file is not None:
            self._file.close()
        self._held.close()

    def run(self, key: str, trial: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the run of that name if it is known and is one of `trial`, else None."""
        found = self.known.get(key)
        fits = found is not None and all(found[name] == value for name, value in trial.items())
        return found if fits else None

    def add(self, tree: dict[str, Any]) -> None:
        """Keep one run, on disk before this returns; `LabError` when it cannot be written."""
        line = line_of(tree)
        with self._writing():
            if self._file is None:
                # Unbuffered, so that nothing is left to be written when the file is closed.
                self._file = self.path.open("ab", buffering=0)
                self._file.truncate(self._whole)
            try:
                while line:
                    line = line[self._file.write(line) :]
            except OSError:
                self._file.truncate(self._whole)
                raise
            self._whole = self._file.tell()
        self.known[tree["key"]] = tree

    def settle(self, keys: Sequence[str]) -> None:
        """Write the file anew: the runs `keys` in that order, then any others by their hash."""
        others = sorted(set(self.known) - set(keys))
        temporary = self.path.with_suffix(".tmp")
        with self._writing():
            try:
                with temporary.open("wb") as file:
                    for key in (*keys, *others):
                        file.write(line_of(self.known[key]))
                os.replace(temporary, self.path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with writing(self.path, words("cure.goes_on", count=len(self.known))):
            yield


def kept_runs(directory: Path) -> int:
    """Return how many runs a directory keeps."""
    path = directory / NAME
    return path.read_bytes().count(b"\n") if path.exists() else 0


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold a directory for this process alone, where the system can; `LabError` if another has it.

    A file that is there while somebody holds the directory, since a lock on a file that is replaced
    says nothing.
    """
    try:
        import fcntl
    except ImportError:  # Windows: the directory is not locked
        yield
        return
    path = directory / LOCK
    with writing(path):
        file = path.open("ab")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another process may have removed the file between its opening and its locking.
            mine = path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())
        except BlockingIOError:
            mine = False
        if not mine:
            raise LabError("error.locked", directory=directory)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

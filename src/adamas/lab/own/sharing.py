"""A table that took long to read is read once: worker processes get what became of it."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from adamas.lab.own.spec import Entered, Spec
from adamas.lab.own.tabular_task import TableRuns
from adamas.lab.problems import Problem

NAME = ".table.pickle"
# What this process has at hand, by the digest of what was kept.
_here: dict[str, Problem] = {}


@dataclass(frozen=True)
class Kept:
    """Loads a problem that this run has kept in a file, or as `load` does where there is no file.

    The file is written and read by processes of one run; a later one never reads it. What anybody
    else has put there has another digest, and is not unpacked: that would run what is in it.
    """

    path: Path
    digest: str
    load: Callable[[], Problem]

    def __call__(self) -> Problem:
        """Return the problem; the same object in one process."""
        if self.digest not in _here:
            try:
                packed = self.path.read_bytes()
            except OSError:
                return self.load()
            if sha256(packed).hexdigest() != self.digest:
                return self.load()
            _here.clear()
            _here[self.digest] = pickle.loads(packed)
        return _here[self.digest]


@contextmanager
def shared(problem: Problem, named: Entered, folder: Path) -> Iterator[Callable[[], Problem]]:
    """Give what loads a problem in any process; a table read in pieces is kept in `folder` for it.

    What was handed over in Python brings its optimizers along when it is loaded, and is not kept.
    """
    path = folder.resolve() / NAME
    path.unlink(missing_ok=True)
    apart = isinstance(problem.task, TableRuns) and problem.task.apart
    if not (apart and isinstance(named, Spec)):
        yield named.problem
        return
    packed = pickle.dumps(problem, protocol=5)
    kept = Kept(path, sha256(packed).hexdigest(), named.problem)
    before = dict(_here)
    _here[kept.digest] = problem
    try:
        path.write_bytes(packed)
        del packed
        yield kept
    finally:
        path.unlink(missing_ok=True)
        _here.clear()
        _here.update(before)

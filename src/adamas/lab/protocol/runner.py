"""Runs trials, each once: from the store if they are known, else in worker processes.

A trial is a pure function of its problem, optimizer, learning rate, seed and length, on one thread;
so the number of workers, and where they are, changes nothing but the time.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adamas.lab.course import Further
from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.own.loop import trained
from adamas.lab.problems import Problem
from adamas.lab.protocol.plan import digest
from adamas.lab.protocol.store import Store
from adamas.lab.trial import Record, from_json

# What a record says of a run: another number gives all runs other names, so that a store never
# mixes two meanings. 1 called every run diverged that ended above its start; 2 knew no
# hyper-parameters but lr.
RECORD = 3


@dataclass(frozen=True)
class Trial:
    """One run: everything that its numbers depend on besides the problem."""

    optimizer: str
    lr: float
    seed: int
    steps: int
    further: Further = ()

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self) | {"further": dict(self.further)}


PATIENCE = 10  # seconds that a cluster has to answer
Load = Callable[[], Problem]
Seen = Callable[[Trial, str], None]


class Runner:
    """Runs trials of one problem.

    `load` returns the problem and can be pickled when there are several workers; `identity` is what
    the problem is called in the hash of a run. Without a store nothing is kept. `coming` is told
    the trials that are run next, `seen` each one that is known.
    """

    def __init__(
        self,
        load: Load,
        identity: Any,
        store: Store | None = None,
        workers: int = 1,
        seen: Seen | None = None,
        coming: Callable[[Sequence[Trial]], None] | None = None,
    ) -> None:
        self._load, self._identity = load, identity
        self._store, self._workers = store, workers
        self._seen = seen or (lambda trial, key: None)
        self._coming = coming or (lambda trials: None)
        self._known: dict[str, Record] = {}
        # The keys of all runs that were asked for, in the order of asking.
        self.asked: dict[str, None] = {}

    def key(self, trial: Trial) -> str:
        """Return the hash that names a run."""
        who = entrant(trial.optimizer)
        return digest([RECORD, self._identity, who.fingerprint, *trial.as_json().values()])

    def run(self, trials: Sequence[Trial]) -> list[Record]:
        """Return the records of `trials`, in their order; those not known yet are run now."""
        keys = [self.key(trial) for trial in trials]
        self.asked.update(dict.fromkeys(keys))
        missing: dict[str, Trial] = {}
        for key, trial in zip(keys, trials, strict=True):
            if key in self._known:
                continue
            if self._store and (kept := self._store.run(key, trial.as_json())):
                self._known[key] = from_json(kept)
                self._seen(trial, key)
            else:
                missing[key] = trial
        self._coming(list(missing.values()))
        for key, record in self._fresh(missing):
            self._known[key] = record
            if self._store:
                self._store.add({"key": key, **missing[key].as_json(), **record.as_json()})
            self._seen(missing[key], key)
        return [self._known[key] for key in keys]

    def _fresh(self, missing: dict[str, Trial]) -> Iterator[tuple[str, Record]]:
        """Run what is missing and yield each as it ends, seed by seed.

        A table of 500,000 rows is drawn and scaled in half a second, and a process keeps two seeds.
        """
        missing = dict(sorted(missing.items(), key=lambda item: item[1].seed))
        if self._workers == 1 or len(missing) < 2:
            with threadpool_limits(limits=1):
                for key, trial in missing.items():
                    yield key, train(self._load, trial)
            return
        parallel = Parallel(self._workers, return_as="generator_unordered", batch_size=1)
        yield from parallel(delayed(named)(k, self._load, t) for k, t in missing.items())


def named(key: str, load: Load, trial: Trial) -> tuple[str, Record]:
    """Run a trial in a worker; the key tells whose record it is."""
    load()
    single_thread()
    return key, train(load, trial)


def train(load: Load, trial: Trial) -> Record:
    """Run one trial."""
    problem = replace(load(), steps=trial.steps)
    return trained(problem, trial.optimizer, trial.lr, trial.seed, trial.further)


@cache
def single_thread() -> None:
    """Let BLAS use one thread for the rest of this process.

    Two threads on two shared cores took 4 to 46 times as long on nets of this size.
    """
    threadpool_limits(limits=1)


@contextmanager
def cluster(address: str | None) -> Iterator[int]:
    """Run trials on a Dask cluster at `address`, or here when it is None; yield how many at once.

    Raises `LabError` if Dask is not installed or the cluster cannot be reached within ten seconds.
    """
    if address is None:
        yield os.cpu_count() or 1
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise LabError("error.dask_missing") from error
    try:
        client = Client(address, timeout=PATIENCE)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError, ImportError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise LabError("error.dask", address=address, reason=reason) from error
    with client, parallel_config("dask"):
        # At least two, since one worker alone would run here.
        yield max(2, sum(client.nthreads().values()))  # type: ignore[no-untyped-call]

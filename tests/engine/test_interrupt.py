"""A fork and a signal at any moment: a step is not begun or whole, and the run goes on.

Each test is a script in a fresh interpreter, in which a deadlock cannot take the other tests along.
"""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.words import norm, orthogonalize
from places import HELPERS
from stepping import Array

Scene = tuple[adamas.Optimizer, Callable[[int], dict[str, Any]]]


def run_script(text: str, first: str = "", limit: float = 300) -> str:
    """Run a script in a fresh interpreter, killed after `limit` seconds; return what it printed."""
    head = f"import sys; sys.path[:0] = {[str(HELPERS), str(Path(__file__).parent)]!r}\n{first}\n"
    done = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(text)],
        capture_output=True, text=True, check=False, timeout=limit,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


FORK = """
    import os
    import numpy as np
    import adamas
    from stepping import snapshot

    def train(optimizer, start, stop):
        for t in range(start, stop):
            g = np.random.default_rng(t).normal(size=300_000).astype(np.float32)
            optimizer.step(g, clip_norm=1.0)

    def make(threads):
        return adamas.AdamW(np.ones(300_000, np.float32), lr=0.1, threads=threads)

    alone, forked = make(1), make(3)
    train(alone, 0, 6)
    train(forked, 0, 3)
    child = os.fork()
    train(forked, 3, 6)
    right = snapshot(forked) == snapshot(alone)
    if child == 0:
        os._exit(0 if right else 7)
    _, status = os.waitpid(child, 0)
    print(right, os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_fork() -> None:
    """After a fork, parent and child both go on, on threads of their own, with the same bits."""
    assert run_script(FORK) == "True 0"


AT_EXIT = """
    import atexit
    import numpy as np
    import adamas

    def last():
        optimizer = adamas.SGD(np.zeros(300_000, np.float32), lr=1.0, threads=2)
        optimizer.step(np.ones(300_000, np.float32))
        w = optimizer.param_groups[0]["params"][0]
        print(optimizer.steps, float(w.min()), float(w.max()))

    atexit.register(last)
"""


def test_the_first_step_at_exit() -> None:
    """A step in an atexit handler, where no thread pool can be made any more, is done."""
    assert run_script(AT_EXIT) == "1 -1.0 -1.0"


INTERRUPT = """
    import random, signal, threading, time
    import numpy as np
    import adamas
    from stepping import snapshot
    from test_interrupt import KINDS

    left = met = 0

    def stop(*_):
        global left, met
        if left:
            left -= 1
            met += 1
            if not left:
                signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt

    SIGNALS = signal.SIGUSR1, signal.SIGTERM, signal.SIGINT
    for each in (signal.SIGALRM, *SIGNALS):
        signal.signal(each, stop)
    main, chance = threading.main_thread().ident, random.Random(SEED)

    def storm(times, after, between):
        time.sleep(after)
        for each in SIGNALS[:times]:
            signal.pthread_kill(main, each)
            time.sleep(between)

    def disturbed(t, mine, delay, between):
        # Up to three exceptions, each of which may meet the handling of the one before.
        global left
        times = chance.randint(1, 3)
        sender = threading.Thread(target=storm, args=(times, delay, between))
        try:
            if t % 2:
                sender.start()
                left = times
            else:
                left = times
                signal.setitimer(signal.ITIMER_REAL, delay, max(between, 5e-5))
            optimizer.step(mine)
            left = 0
        except KeyboardInterrupt:
            left = 0
        seen = optimizer.steps, snapshot(optimizer)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if sender.ident:
            sender.join()
        return seen

    def check(twin, seen, mine, theirs, what):
        if KIND == "exact rows":
            optimizer.sync()
            seen = optimizer.steps, snapshot(optimizer)
        assert seen == (twin.steps, snapshot(twin)), (t, what)
        assert seen[1] == snapshot(optimizer), (t, what, "written afterwards")
        same = [np.array_equal(g, theirs[k]) for k, g in mine.items() if KIND != "exact rows"]
        assert all(same), (t, what, "gradients")

    (optimizer, gradients), (twin, _) = KINDS[KIND](), KINDS[KIND]()
    for t in range(3):
        for each in (optimizer, twin):
            started = time.perf_counter()
            each.step(gradients(t))
    span = 1.5 * (time.perf_counter() - started)
    t = 2
    while met < WANTED and t < 20 * WANTED:
        t += 1
        mine, theirs = gradients(t), gradients(t)
        delay = 1e-6 + chance.random() * span
        seen = disturbed(t, mine, delay, chance.choice([0, 1e-5, span / 5]))
        assert seen[0] == optimizer.steps, (t, "counted afterwards")
        if optimizer.steps == t:
            if KIND != "exact rows":
                check(twin, seen, mine, theirs, "neither before nor after")
            optimizer.step(mine)
            seen = optimizer.steps, snapshot(optimizer)
        twin.step(theirs)
        assert optimizer.steps == twin.steps == t + 1
        # Rows at rest are left behind for some steps, or there would be nothing to catch up.
        if KIND != "exact rows" or t % 4 == 2:
            twin.sync()
            check(twin, seen, mine, theirs, "not as without the signal")
    print(met)
"""


def values(seed: int) -> dict[str, Array]:
    """A long array, a strided, a transposed and a tiny one, of both dtypes."""
    rng = np.random.default_rng(seed)
    return {
        "long": np.resize(rng.normal(size=9_991), (80_000, 2)).astype(np.float32),
        "strided": rng.normal(size=40_000)[::2],
        "turned": rng.normal(size=(33, 1000)).T,
        "tiny": rng.normal(size=3),
    }


def one_array(**options: Any) -> Scene:
    """One array, large enough for two threads."""
    optimizer = adamas.NAdam({"long": values(0)["long"]}, **options)
    return optimizer, lambda t: {"long": values(t + 1)["long"]}


def exact_rows() -> Scene:
    """Half the rows of a long array and of a strided one at each step."""
    params = {"long": values(0)["long"][:20_000], "strided": values(0)["strided"]}
    optimizer = adamas.NAdam(params, rows="exact", threads=2, weight_decay=0.1)

    def gradients(t: int) -> dict[str, Any]:
        rng = np.random.default_rng(t)
        return {
            name: adamas.Rows(
                rng.permutation(len(p))[: len(p) // 4], values(t + 1)[name][: len(p) // 4]
            )
            for name, p in params.items()
        }

    return optimizer, gradients


def turning(p: Any, g: Any, m: Any, *, lr: float = 0.1) -> Any:
    """A matrix, whose products take most of a step, and a sum behind it."""
    m = 0.9 * m + g
    o = orthogonalize(m)
    return p - lr * o / norm(o), m


def matrices() -> Scene:
    """Matrices one after another, one of which does not lie in rows, and a vector."""
    shapes = {"square": (40, 40), "tall": (90, 20), "vector": (50,)}

    def made(t: int) -> dict[str, Array]:
        rng = np.random.default_rng(t)
        some = {k: rng.normal(size=shape).astype(np.float32) for k, shape in shapes.items()}
        return {**some, "turned": rng.normal(size=(13, 30)).astype(np.float32).T}

    return adamas.Optimizer(turning, made(0), threads=2), lambda t: made(t + 1)


KINDS: dict[str, Callable[[], Scene]] = {
    "one array, one thread": lambda: one_array(threads=1),
    "one array": lambda: one_array(threads=2, clip_norm=1.0),
    "many arrays": lambda: (
        adamas.NAdam(values(0), threads=3, clip_norm=1.0, ema=0.5, zero_grads=True),
        lambda t: values(t + 1),
    ),
    "two rules": lambda: (
        adamas.Optimizer(
            adamas.rules.nadam,
            values(0),
            routes={"long|turned": "nadam", "": "lion"},
            threads=2,
            clip_norm=1.0,
            ema=0.5,
        ),
        lambda t: values(t + 1),
    ),
    "exact rows": exact_rows,
    "matrices": matrices,
}


WANTED = int(os.environ.get("ADAMAS_SIGNALS", "12"))


@pytest.mark.parametrize("kind", KINDS)
def test_interrupted_at_any_moment(kind: str) -> None:
    """A step that signals meet, however many, is either not begun or whole, and the run goes on.

    ADAMAS_SIGNALS is the number of exceptions to be met in each case.
    """
    seed = np.random.default_rng().integers(1 << 30)
    first = f"KIND, SEED, WANTED = {kind!r}, {seed}, {WANTED}"
    # 250 exceptions took 12 s on an idle machine, and more than 300 s on a busy one.
    met = run_script(INTERRUPT, first, limit=300 + 5 * WANTED)
    assert int(met) > 0, f"no signal met a step, {seed=}"

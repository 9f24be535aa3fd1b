"""What every test shares: how hard Hypothesis searches, and an empty kernel cache on request.

Kernels are compiled into the user's own cache, because compiling each of them anew for every run
would cost minutes; a test about the cache itself asks for `fresh_cache`.
"""

import gc
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from browser import Browser

# No deadline: the first call of a kernel compiles it. Never derandomized: each run looks elsewhere.
settings.register_profile("local", deadline=None, derandomize=False, max_examples=30)
settings.register_profile(
    "ci", deadline=None, derandomize=False, max_examples=30, database=None, print_blob=True
)
settings.load_profile("ci" if os.environ.get("CI") else "local")
# Compilers make millions of short-lived objects: looking for cycles among them that often took 8 %
# of what a kernel takes to compile.
gc.set_threshold(50_000, 20, 50)
# Threads of OpenMP, which torch computes with, spin for a while after each call: two workers and
# their child processes waited for each other's. Two files of rules took 95 s, and take 33.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Which part of the long forms this run takes; set here, so that all workers take the same.
os.environ.setdefault("ADAMAS_SAMPLE", str(random.SystemRandom().randrange(1000)))
# Commands speak the language of the environment; tests expect English unless they ask.
os.environ["LC_ALL"] = "C.UTF-8"


def pytest_report_header() -> str:
    """Say which part is taken."""
    return f"adamas: ADAMAS_SAMPLE={os.environ['ADAMAS_SAMPLE']}"


@pytest.fixture(scope="module", autouse=True)
def _left_by_other_files() -> None:
    """Let no collection look again at what earlier files left.

    A worker that has compiled hundreds of kernels holds so many objects that one took 3.6 s.
    """
    gc.collect(1)
    gc.freeze()


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Run one Chromium for all files of a worker: what it has read once need not be read again."""
    from browser import Browser

    with Browser() as running:
        yield running


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the kernel cache of this test, and return it."""
    cache = tmp_path / "kernels"
    cache.mkdir(mode=0o700)
    monkeypatch.setenv("ADAMAS_CACHE_DIR", str(cache))
    return cache

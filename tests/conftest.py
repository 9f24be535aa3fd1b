"""What every test shares: how hard Hypothesis searches, and an empty kernel cache on request.

Kernels are compiled into the user's own cache, because compiling each of them anew for every run
would cost minutes; a test about the cache itself asks for `fresh_cache`.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: the first call of a kernel compiles it. Never derandomized: each run looks elsewhere.
settings.register_profile("local", deadline=None, derandomize=False, max_examples=50)
settings.register_profile(
    "ci", deadline=None, derandomize=False, max_examples=50, database=None, print_blob=True
)
settings.load_profile("ci" if os.environ.get("CI") else "local")
# Commands speak the language of the environment; tests expect English unless they ask.
os.environ["LC_ALL"] = "C.UTF-8"


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the kernel cache of this test, and return it."""
    cache = tmp_path / "kernels"
    cache.mkdir(mode=0o700)
    monkeypatch.setenv("ADAMAS_CACHE_DIR", str(cache))
    return cache

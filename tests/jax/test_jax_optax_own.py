"""optax's own tests, those in its wheel, against our functions: each suite in its own process.

`DIFFERS` lists every test that our functions do not pass, with the reason; nothing else may fail,
and what is listed must. The three rules whose decay is decoupled are given optax's default for it.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from adamas.homes.optax import SIGNATURES
from long_form import LONG, few_of

SCRIPT = Path(__file__).parents[1] / "helpers" / "optax_own.py"
STATES = "test_explicit_dtype .*"
# Of `alias_test.py`.
DIFFERS = {
    STATES + "params_dtype='bfloat16', state_dtype=None": (
        "the state of a bfloat16 parameter is float32 unless mu_dtype or state says otherwise"
    ),
    STATES + "state_dtype='complex64'": (
        "a complex parameter has complex states and a real one real states; there is no choice"
    ),
    STATES + "params_dtype='complex64', state_dtype='(float32|bfloat16)'": (
        "the state of a complex parameter keeps its imaginary part, and has no few bits"
    ),
}
# Every test in its long form; in the short one each rule is in each test of `alias_test.py`, with
# fewer dtypes, and of 10,000 steps those on Rosenbrock's function; of two dtypes, and of two tests
# that keep them, each run takes one.
OPTIMIZES = "optimization .*rosenbrock.*float32"
KEPT = "|".join(few_of(["float16", "complex64"], 1))
TESTS = "|".join(few_of(["accumulation", "preserve_dtype"], 1))
KEEPS = f"stability .*dtype=({KEPT})|_({TESTS}) .*dtype='bfloat16'"
ALIAS = f"{OPTIMIZES}|{KEEPS}|_(extra_args|inject_hyperparams|explicit_dtype) "
SUITES = {
    "alias": (270, ".") if LONG else (120, ALIAS),
    "sharding": (45, f"_({'|'.join(SIGNATURES)})$") if LONG else (9, "_(adam|nadam|adagrad)$"),
    "float64": (5, "_(adagrad|adam|adamw|rmsprop|sgd)$"),
    # These two are of optax.contrib; the long form also wraps our rules in its `mechanize`.
    "common": (190, ".") if LONG else (25, "opt_name='(ademamix|schedule_free_adamw)'"),
}


@pytest.mark.parametrize("suite", SUITES)
def test_the_tests_of_optax(suite: str) -> None:
    """Whoever trusts optax's functions by optax's tests may trust ours by the same."""
    least, only = SUITES[suite]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), suite, only],
        env={**os.environ, "JAX_PLATFORMS": "cpu"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    assert len(told) >= least, sorted(told)
    failed = {name: error for name, error in told.items() if error}
    listed = {name for name in told if any(re.search(one, name) for one in DIFFERS)}
    assert {n: e for n, e in failed.items() if n not in listed} == {}
    assert not listed - failed.keys()


def test_every_difference_is_of_some_test() -> None:
    """The list has no line that nothing fits, and the page tells the same reasons."""
    page = (Path(__file__).parents[2] / "docs" / "jax.md").read_text()
    page = " ".join(page.split())
    assert all(reason in page for reason in DIFFERS.values())

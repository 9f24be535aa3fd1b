"""Run optax's own tests, those in its wheel, against the functions of adamas.jax, in this process.

`python optax_own.py alias SHOWN` prints one JSON object: of every test whose name and parameters
the expression finds the error, an empty text where it passed. Rules that adamas does not have are
left out, and so are those that take other arguments than optax's.
"""

import functools
import json
import os
import re
import sys
import unittest
import warnings
from types import ModuleType, SimpleNamespace
from typing import Any

from quick_xla import FLAGS

if __name__ == "__main__":
    # Before jax is imported.
    devices = 8 if sys.argv[1] == "sharding" else 1
    os.environ["XLA_FLAGS"] = f"{FLAGS} --xla_force_host_platform_device_count={devices}"

import jax
import optax

import adamas.jax
from adamas.homes.optax import OTHERS, SIGNATURES

Suite = type[unittest.TestCase]
# Those with optax's arguments.
NAMES = SIGNATURES.keys() - {rule.__name__ for rule in OTHERS}
OURS = {name: getattr(adamas.jax, name) for name in NAMES}
# The formulas' weight_decay is 1e-2: Rosenbrock's minimum moves by more than their tolerance.
OURS |= {n: functools.partial(OURS[n], weight_decay=1e-4) for n in ("adamw", "adamaxw", "nadamw")}


def found(*names: Any) -> Any:
    """The function of adamas.jax by this name, in place of optax's."""
    if names[-1] not in OURS:
        raise unittest.SkipTest("not of adamas")
    return OURS[names[-1]]


def alias() -> Suite:
    """`_src/alias_test.py`: optimization, dtypes, extra arguments, injection, accumulation."""
    # Their tests of L-BFGS alone ask for it, and importing it takes seconds.
    for name in ("sklearn", "sklearn.datasets", "sklearn.linear_model"):
        sys.modules[name] = ModuleType(name)
    vars(sys.modules["sklearn"]).update(datasets=None, linear_model=None)
    from optax._src import alias_test

    vars(alias_test).update(_get_opt=found, alias=SimpleNamespace(sgd=adamas.jax.sgd))
    made: Suite = alias_test.AliasTest
    return made


def sharding() -> Suite:
    """`_src/sharding_test.py`, on eight devices: it reads its optimizers when it is imported."""
    vars(optax).update(OURS)
    from optax._src import sharding_test

    # They compare texts, by which 0.10 comes before 0.7 and everything would be skipped.
    jax.__version__ = "9"
    made: Suite = sharding_test.ShardingTest
    return made


def float64() -> Suite:
    """`_src/float64_test.py`, which reads its optimizers when it is imported, too."""
    from optax._src import alias as functions

    vars(functions).update(OURS)
    from optax._src import float64_test

    made: Suite = float64_test.Float64Test
    return made


def common() -> Suite:
    """`contrib/_common_test.py`: a base of theirs in a wrapper, and what optax.contrib has."""
    from optax.contrib import _common_test

    vars(_common_test)["_get_opt_factory"] = found
    _common_test.contrib.schedule_free_eval_params = adamas.jax.schedule_free_eval_params
    made: Suite = _common_test.ContribTest
    return made


def shown(test: Any) -> str:
    """The name of a test and its parameters, without the number of its place in their list."""
    name = test.id().partition(f".{type(test).__name__}.")[2]
    name = re.sub(r" at 0x\w+|<class 'jax.numpy.(\w+)'>", r"\1", name)
    return re.sub(r"^(\w+?)\d* \(", r"\1 (", name)


class Outcomes(unittest.TestResult):
    """The last line of the error of each test, by its name and its parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, str] = {}

    def tell(self, test: Any, error: str) -> None:
        """Keep what a test ended with; a subtest counts as its test."""
        self.told[shown(test)] = self.told.get(shown(test)) or error

    def addSuccess(self, test: Any) -> None:  # noqa: N802
        """It passed."""
        self.tell(test, "")

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        """It raised."""
        self.tell(test, f"{err[0].__name__}: {err[1]}".strip().replace("\n", " ")[:200])

    addFailure = addError  # noqa: N815

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        """A part of a test passed or raised."""
        if err is not None:
            self.addError(test, err)


def run(suite: str, only: str) -> dict[str, str]:
    """The outcomes of the tests of a suite whose names match."""
    case = globals()[suite]()
    tests = [case(name) for name in unittest.TestLoader().getTestCaseNames(case)]
    outcomes = Outcomes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unittest.TestSuite(one for one in tests if re.search(only, shown(one))).run(outcomes)
    return outcomes.told


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], sys.argv[2])))

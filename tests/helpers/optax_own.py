"""Run optax's own tests, those in its wheel, against the functions of adamas.jax, in this process.

`python optax_own.py alias` prints one JSON object: of every test that ran the last line of its
error, an empty text where it passed. Rules that adamas does not have are left out.
"""

import json
import os
import re
import sys
import unittest
import warnings
from types import ModuleType, SimpleNamespace
from typing import Any

if __name__ == "__main__":
    # Before jax is imported. Of hundreds of tiny programs all time would go into making them fast.
    os.environ["XLA_FLAGS"] = (
        f"--xla_force_host_platform_device_count={8 if sys.argv[1] == 'sharding' else 1} "
        "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=0 "
        "--xla_llvm_disable_expensive_passes=true --xla_cpu_parallel_codegen_split_count=1"
    )

import optax

import adamas.jax
from adamas.homes.optax import SIGNATURES

Suite = type[unittest.TestCase]
OURS = {name: getattr(adamas.jax, name) for name in SIGNATURES}


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


class Outcomes(unittest.TestResult):
    """The last line of the error of each test, by its name and its parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, str] = {}

    def tell(self, test: Any, error: Any) -> None:
        """Keep what a test ended with; a subtest counts as its test."""
        name = test.id().partition(f".{type(test).__name__}.")[2]
        # A number behind the name is the place in a list of parameters, which are shown.
        name = re.sub(r"^(\w+?)\d* \(", r"\1 (", name)
        self.told[name] = self.told.get(name) or error

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
    names = [n for n in unittest.TestLoader().getTestCaseNames(case) if re.search(only, n)]
    outcomes = Outcomes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unittest.TestSuite(map(case, names)).run(outcomes)
    return outcomes.told


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], sys.argv[2])))

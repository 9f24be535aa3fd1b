"""Functions that only kernels call are compiled once: as a part of the kernel."""

from typing import Any

import numpy as np
import pytest
from numba import float64

from adamas.kernel.runtime import machine, operations


@operations.compiled
def _halved(x: float) -> Any:
    return x / 2


@operations.compiled
def _quarter(x: float) -> Any:
    return _halved(_halved(x))


@machine.entry(False)
def _called(x: float) -> Any:
    return _quarter(x) + _halved(x)


@pytest.mark.skipif(operations.interpreted, reason="nothing is compiled")
def test_what_kernels_call_becomes_a_part_of_them() -> None:
    """Nobody waits for machine code that nobody runs; what is called through others is there."""
    assert _called(8.0) == 6.0
    assert np.isnan(_called(np.nan))
    for function in (_halved, _quarter):
        (made,) = function.overloads.values()
        assert made.library.get_pointer_to_function(made.fndesc.llvm_func_name) == 0
    (made,) = _called.overloads.values()
    assert made.signature == float64(float64)
    assert made.library.get_pointer_to_function(made.fndesc.llvm_func_name) != 0

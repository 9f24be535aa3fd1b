"""A codec's text compiled is the codec's text on NumPy arrays."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from adamas import codecs
from adamas.codecs import Codec
from adamas.kernel.lower import lower
from codec_levels import QUIET, SPECIAL


def written() -> list[Callable[..., Any]]:
    """Every function of every codec, once."""
    every = [c for c in vars(codecs).values() if isinstance(c, Codec)]
    found = {f for c in every for f in (c.decode, c.encode, c.low, c.rest) if f}
    return sorted(found, key=lambda function: function.__name__)


def test_machine_code_is_the_text() -> None:
    """The lowered text of every codec function, compiled, equals the function on NumPy arrays."""
    functions = written()
    assert len(functions) > 15
    lines = [
        "from adamas.kernel.runtime import machine as _m",
        "from adamas.kernel.runtime.machine import integers as _b",
    ]
    calls = []
    for k, function in enumerate(functions):
        lines += lower(function, function.__name__)
        count = len(inspect.signature(function).parameters)
        given = ", ".join(f"_b.int32(x[{i}, i])" for i in range(count))
        calls.append(f"        out[{k}, i] = {function.__name__}({given})")
    lines += ["@_m.entry(False)", "def over(x, out):", "    for i in range(x.shape[1]):", *calls]
    # What is `compiled` has no wrapper for Python, which would crash calling it.
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)
    rng = np.random.default_rng(4)
    x = rng.integers(-(1 << 31), 1 << 31, (3, 30_000)).astype(np.int32)
    # Half of them what a kernel really passes: a scale or a correction between two words.
    x[1, ::2] %= 256
    x[0, : len(SPECIAL)] = SPECIAL
    x[0, 1000:2000] %= 256
    out = np.zeros((len(functions), x.shape[1]), np.int32)
    names["over"](x, out)
    for k, function in enumerate(functions):
        count = len(inspect.signature(function).parameters)
        expected = QUIET(function)(*x[:count])
        # Where a mean4 adds two NaNs, machines may keep either; no scale is above 252.
        same = (x[1] >= 0) & (x[1] <= 252) if "mean4" in function.__name__ else slice(None)
        assert np.array_equal(out[k][same], expected[same]), function.__name__


def test_unknown_formats_are_named() -> None:
    """A format that does not exist is named beside those that do."""
    with pytest.raises(ValueError, match=r"'int3'.*int8"):
        codecs.stored("int3", "mean")
    with pytest.raises(ValueError, match=r"'int8'.*float32"):
        codecs.find("int8")

"""Kernels use what the processor has, and give the same bits on all of them.

Numba compiles for the processor that NUMBA_CPU_NAME and NUMBA_CPU_FEATURES name. Only names whose
instructions this machine has can be run here: those of its ancestors.
"""

import itertools
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

from adamas import rules
from adamas.engine.optimizer import Optimizer
from adamas.kernel import build, processors
from adamas.kernel.runtime import integers
from adamas.kernel.runtime.machine import entry, store_float32
from long_form import LONG, few_of

load_float16 = integers.load_float16

# LLVM's name of a processor, and what this machine needs to stand in for it.
PROCESSORS = {
    "x86-64": "sse2",
    "nehalem": "sse4.2 popcnt",
    "sandybridge": "avx",
    "ivybridge": "avx f16c rdrnd",
    "haswell": "avx2 f16c fma bmi2 lzcnt movbe",
    "skylake-avx512": "avx512f avx512bw avx512cd avx512dq avx512vl avx2 f16c fma clwb",
    "znver2": "avx2 f16c fma bmi2 sse4a clwb rdpid clzero",
}
# What a child may take: it compiles every kernel anew, 48 of them in the long form.
LIMIT = 3600 if LONG else 600
# Formats of the parameter, the gradient and the state; uint16 are the bits of bfloat16.
SHORT = [
    ("float32", "float16", "float32"),
    ("uint16", "uint16", "bfloat16"),
    ("float64", "float32", "int8"),
    ("float32", "uint16", "int4"),
]
ALL = list(
    itertools.product(
        ("float32", "float64", "uint16"),
        ("float32", "float64", "float16", "uint16"),
        ("float32", "bfloat16", "int8", "int4"),
    )
)
CHOSEN = ALL if LONG else few_of(SHORT, 2)
SCRIPT = '''
import hashlib, json, sys
import numpy as np
import adamas
from adamas.words import *

@adamas.rule
def every(p, g, m, v, *, t, lr=0.1, beta=0.9):
    """Every word and operation there is."""
    m = beta * m + (1 - beta) * sign(g) * minimum(abs(g), 1)
    v = beta * v + (1 - beta) * g * g
    step = where(t > 2, m / (1 - beta**t), maximum(m, g)) / (sqrt(v) + exp(-abs(p)) * 0.1)
    step = step + atan2(tanh(m), cos(p) + sin(g)) * cos(t)
    return p - lr * step * log(abs(p) + 2) ** 1.5 * t ** -0.5, m, v

def numbers(dtype, seed):
    found = np.random.default_rng(seed).normal(size=300).astype(np.float32)
    found[7] = 1e-5
    return (found.view(np.uint32) >> 16).astype(dtype) if dtype == "uint16" else found.astype(dtype)

found = {}
for p_dtype, g_dtype, state in json.loads(sys.argv[1]):
    p = numbers(p_dtype, 0)
    optimizer = every(p, state=lambda key, array: state, track_norm=True)
    norms = []
    for k in range(4):
        optimizer.step(numbers(g_dtype, k + 1), clip_norm=[None, 3.0][k % 2])
        norms.append(optimizer.grad_norm)
    arrays = [p, np.array(norms), *(np.asarray(x) for _, x in sorted(optimizer.state[0].items()))]
    text = b"".join(np.ascontiguousarray(x).tobytes() for x in arrays)
    found[f"{p_dtype} {g_dtype} {state}"] = hashlib.sha256(text).hexdigest()
print(json.dumps(found))
'''


def able(needs: str) -> bool:
    """Whether this machine has these instructions."""
    features: Mapping[str, bool] = llvm.get_host_cpu_features()
    return platform.machine() == "x86_64" and all(features.get(name) for name in needs.split())


def bits(folder: Path, kinds: Sequence[object], **variables: str) -> dict[str, str]:
    """A hash of p and the state of every kind, from a new process."""
    (folder / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "error", "script.py", json.dumps(kinds)],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    assert len(found) == len(kinds)
    return found


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The bits of this machine's own kernels."""
    return bits(tmp_path_factory.mktemp("here"), CHOSEN)


@pytest.mark.parametrize("name", PROCESSORS if LONG else ["x86-64"])
def test_an_older_processor_gives_the_same_bits(
    tmp_path: Path, here: dict[str, str], name: str
) -> None:
    """No kernel needs an instruction that the processor lacks, and none rounds otherwise."""
    if not able(PROCESSORS[name]):
        pytest.skip(f"this machine is no {name}")
    named = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": ""}
    empty = str(tmp_path / "kernels")
    assert bits(tmp_path, CHOSEN, ADAMAS_CACHE_DIR=empty, **named) == here


@pytest.mark.parametrize("native", [False, True])
def test_every_float16_is_read_exactly(monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    """All 65,536 of them are NumPy's float32, whether or not the processor has an instruction."""
    if native and not able("f16c"):
        pytest.skip("this machine has no instruction for it")
    monkeypatch.setattr(integers, "converts_float16", lambda context: native)

    @entry(False)
    def widen(at: int, there: int, count: int) -> None:
        for i in range(count):
            store_float32(there, i, 0, load_float16(at, i, 0))

    halves = np.arange(1 << 16).astype(np.uint16).view(np.float16)
    found = np.empty(halves.size, np.float32)
    widen(halves.ctypes.data, found.ctypes.data, halves.size)
    expected = halves.astype(np.float32)
    np.testing.assert_array_equal(found, expected)
    assert np.array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("znver2", processors.FETCHES_ITSELF), ("znver4", processors.FETCHES_ITSELF),
        ("znver5", processors.FETCHES_ITSELF), ("haswell", processors.ASKED),
        ("sapphirerapids", processors.ASKED), ("x86-64", processors.ASKED),
        ("generic", processors.ASKED), ("", processors.ASKED),
    ],
)  # fmt: skip
def test_what_suits_a_processor(name: str, kind: processors.Processor) -> None:
    """Zen fetches ahead by itself; every other processor, known or not, is asked to."""
    assert processors.suited(name) == kind


@pytest.mark.parametrize("state", few_of(["float32", "bfloat16", "int8", "int4"], 2))
def test_both_ways_of_writing_give_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Kernels written for either kind of processor run here and step to the same bits."""

    def run(kind: processors.Processor) -> list[bytes]:
        with monkeypatch.context() as patch:
            patch.setattr(build, "_built", {})
            patch.setattr(build, "here", lambda: kind)
            p = np.random.default_rng(0).normal(size=(3, 700)).astype(np.float32)
            optimizer = Optimizer(rules.adamw, p, state=lambda key, array: state)
            for k in range(2):
                optimizer.step(np.random.default_rng(k).normal(size=p.shape).astype(np.float32))
        return [p.tobytes(), *(np.asarray(x).tobytes() for x in optimizer.state[0].values())]

    assert run(processors.FETCHES_ITSELF) == run(processors.ASKED)

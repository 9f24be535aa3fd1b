"""Kernels between processes: the disk cache, two builders at once, and plain Python."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adamas import rules
from adamas.engine.optimizer import Optimizer
from family import ELEMENTWISE
from long_form import sampled
from reduction_steps import SOME

STEP = """
import json, sys
import numba  # noqa: F401
import numpy as np
import pytest
import adamas
from adamas.kernel import build

print("ready", flush=True)
sys.stdin.readline()
p = np.array([1.0, -2.0, 0.5], np.float32)
adamas.SGD(p, lr=0.25).step(np.array([4.0, 8.0, -2.0], np.float32))
(kernel,) = build._built.values()
hits = sum(kernel.run.stats.cache_hits.values()) if kernel.path else None
print(json.dumps({"p": p.tolist(), "path": str(kernel.path), "hits": hits}))
"""


def started(code: str, **variables: str) -> "subprocess.Popen[str]":
    """Start a new Python; it shows every warning as an error."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **variables},
        text=True,
    )


def finished(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Let the process go on; return what it printed last."""
    output, errors = process.communicate("go\n", timeout=120)
    assert process.returncode == 0, errors
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def test_two_processes_that_build_at_once_leave_one_kernel(fresh_cache: Path) -> None:
    """Both step, neither hinders the other, and a third one finds what they left."""
    both = [started(STEP), started(STEP)]
    for process in both:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [finished(process) for process in both]
    assert [result["p"] for result in results] == [[0.0, -4.0, 1.0]] * 2
    files = sorted(path.suffix for path in fresh_cache.rglob("*") if path.is_file())
    assert files == [".nbc", ".nbi", ".py"]
    third = finished(started(STEP))
    assert third == {"p": [0.0, -4.0, 1.0], "path": results[0]["path"], "hits": 1}


def test_numba_s_own_folder_may_be_unusable(fresh_cache: Path) -> None:
    """NUMBA_CACHE_DIR moves the machine code; if that cannot be written, the kernel still steps."""
    (fresh_cache / "file").touch()
    result = finished(started(STEP, NUMBA_CACHE_DIR=str(fresh_cache / "file" / "numba")))
    assert result["p"] == [0.0, -4.0, 1.0]
    assert result["hits"] == 0


# Each rule in one dtype, in another run in the other; those that sum, of which every run takes
# some, in the one that they are compiled in anyway.
PAIRS = sampled(itertools.product(ELEMENTWISE, ["float32", "float64"]))
PAIRS += [(rule, "float32") for rule in SOME]
RULES = """
import json, sys
import numpy as np
import pytest
from adamas import rules
from adamas.engine import phases
from adamas.engine.optimizer import Optimizer

phases.PARALLEL = 0
data = np.load(sys.argv[1])
found = {}
for rule, dtype in json.loads(sys.argv[3]):
    p = data["p"].astype(dtype)
    optimizer = Optimizer(getattr(rules, rule), p, lr=0.5, threads=2, zero_grads=True)
    for g in data["g"].astype(dtype):
        optimizer.step(g)
        assert not g.any()
    for name, value in {"p": p, **optimizer.state[0]}.items():
        found[f"{rule} {dtype} {name}"] = value
np.savez(sys.argv[2], **found)
"""


def test_stepping_through_python_gives_the_bits_of_the_machine_code(tmp_path: Path) -> None:
    """With NUMBA_DISABLE_JIT=1 the same files run in plain Python, to the same bits."""
    rng = np.random.default_rng(3)
    p, g = rng.normal(size=9), rng.normal(size=(7, 9))
    p[0], g[:, 1], g[3, 2] = 0.0, 0.0, 1e-42
    np.savez(tmp_path / "given.npz", p=p, g=g)
    (tmp_path / "script.py").write_text(RULES)
    subprocess.run(
        [sys.executable, "-W", "error", "script.py", "given.npz", "found.npz", json.dumps(PAIRS)],
        cwd=tmp_path,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        check=True,
        timeout=120,
    )
    found = np.load(tmp_path / "found.npz")
    assert len(PAIRS) > 30
    for rule, dtype in PAIRS:
        compiled = p.astype(dtype)
        optimizer = Optimizer(getattr(rules, rule), compiled, lr=0.5)
        for gradient in g.astype(dtype):
            optimizer.step(gradient)
        for name, value in {"p": compiled, **optimizer.state[0]}.items():
            stepped = found[f"{rule} {dtype} {name}"]
            assert stepped.tobytes() == np.asarray(value).tobytes(), (rule, dtype, name)


TRACE = """
import json, sys
import numpy as np
import pytest
import adamas
from adamas.kernel import build

p, lines = np.ones(5, np.float32), []

def trace(frame, event, argument):
    name = frame.f_code.co_filename
    if not name.endswith(".py") or "momentum_" not in name:
        return None
    if event == "line":
        lines.append((frame.f_lineno, sorted(frame.f_locals)))
    return trace

optimizer = adamas.Momentum(p)
sys.settrace(trace)
optimizer.step(np.ones(5, np.float32))
sys.settrace(None)
(kernel,) = build._built.values()
text = kernel.path.read_text().splitlines()
print(json.dumps([[text[number - 1].strip(), names] for number, names in lines]))
"""


def test_a_debugger_steps_through_the_rule_s_own_lines(fresh_cache: Path) -> None:
    """Without the compiler, each element passes the lines of the paper, with their names."""
    lines: Any = finished(started(TRACE, NUMBA_DISABLE_JIT="1"))
    names = [names for line, names in lines if line == "p = p - lr * m"]
    assert len(names) == 5
    assert {"p", "g", "m", "lr", "beta"} <= set(names[0])


SPECIAL = """
import sys
import numpy as np
import pytest
from adamas.engine.optimizer import Optimizer
import special

p, g = (np.ravel(x).astype(np.float32) for x in np.meshgrid(special.VALUES, special.VALUES))
optimizer = Optimizer(special.f, p, on_nonfinite="allow")
optimizer.step(g)
np.savez(sys.argv[1], **{k: v for k, v in optimizer.state[0].items() if k != "step"})
"""
WORDS = """
VALUES = [0.0, -0.0, 1.0, -2.0, 0.3, 2.9, 1e-45, 3.4e38, -3.4e38]
VALUES += [float("inf"), -float("inf"), float("nan")]

def f(p, g, a, b, n, c, d, e, h, i, k, j, *, t, lr=2.0):
    a = where(g > 0, p / g, -g)
    b = maximum(p, g)
    n = minimum(p, lr / g)
    c = sign(g) * (t == 1) * log(lr) * exp(lr)
    d = sqrt(abs(p)) if t == 2 else abs(g)
    return p, a, b, n, c, d, exp(g), log(g), sign(p) * abs(p) ** 1.5, sqrt(p), p * p * p
"""


def test_stepping_treats_special_values_as_the_machine_code_does(tmp_path: Path) -> None:
    """NaN, infinities, subnormals and both zeros pass every word alike; exp and log to 4 units."""
    (tmp_path / "special.py").write_text("from adamas.words import *\n" + WORDS)
    found = []
    for name, variables in (("plain", {"NUMBA_DISABLE_JIT": "1"}), ("compiled", {})):
        command = [sys.executable, "-W", "error", "-c", SPECIAL, f"{name}.npz"]
        environment = {**os.environ, **variables}
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)
        found.append(np.load(tmp_path / f"{name}.npz"))
    for name in found[0]:
        tolerance = 4 * 2.0**-23 if name in "ehi" else 0.0
        np.testing.assert_allclose(found[0][name], found[1][name], rtol=tolerance, err_msg=name)


NORMS = """
import itertools, json, sys
import numpy as np
from numpy import nan
import pytest
import adamas

sys.stdin.readline()
found = []
for dtype, (mode, first) in itertools.product({dtypes}, {modes}):
    p, g = np.zeros(3, np.float32), np.array([2.0, 3.0, 6.0], dtype)
    g[:1] = first
    optimizer = adamas.SGD(p, lr=1.0, on_nonfinite=mode)
    try:
        optimizer.step(g)
    except adamas.NonFiniteError as error:
        found.append(error.left)
    else:
        found.append(optimizer.grad_norm)
print(json.dumps({{"found": found}}))
"""


@pytest.mark.usefixtures("fresh_cache")
def test_kernels_from_the_disk_do_not_share_functions() -> None:
    """Kernels that two processes compiled for two dtypes read each its own in a third process."""
    dtypes = ["float32", "float64", "float16"]
    for each in [*([d] for d in dtypes), dtypes, dtypes[::-1]]:
        # The norm of 2, 3 and 6 is 7; NaN for the first of them leaves all three.
        code = NORMS.format(dtypes=each, modes=[("raise", 2.0), ("guard", np.nan)])
        assert finished(started(code))["found"] == [7.0, 3] * len(each)

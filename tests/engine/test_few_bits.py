"""A kernel with few-bit state computes in float32 what NumPy computes, and stores what it must.

After every step the parameter has the bits of the formula run operation by operation on the decoded
state, and the stored arrays are the codes of the fresh state for the words of the hash.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import adamas
from adamas import rules
from adamas.codecs import BLOCK, FORMATS, Codec
from adamas.engine import chunks, phases
from adamas.kernel.formula import parse
from few_bits import FewBits, bfloat16, everywhere, widened
from hoisted import Interpreter
from long_form import sampled
from places import HELPERS
from stepping import make, snapshot
from written import function

Array = NDArray[Any]

# Around a block and two, many blocks, rows of a block and a bit, of less, and short ones.
B = BLOCK
SHAPES: list[tuple[int, ...]] = [
    (1,), (63,), (B - 1,), (B,), (B + 1,), (2 * B - 1,), (2 * B,), (2 * B + 1,), (301,), (4113,),
    (7, 100), (3, B + 36), (9, 8), (3, 2, 50),
]  # fmt: skip
RULES = ["adamw", "lion", "adan", "momentum", "nadam", "schedule_free_adamw"]
FEW = ["int8", "int4", "bfloat16"]
STEPS = 5
HYPERS = {"lr": 0.01, "weight_decay": 0.1}
# Which states are positive, and which are never few-bit by themselves, from the papers.
SQUARES = {"adamw": "v", "adan": "n", "nadam": "v", "schedule_free_adamw": "v"}
EXACT = {"schedule_free_adamw": "z"}

every_format = pytest.mark.parametrize("form", FEW)


def codecs(rule: str, form: str) -> dict[str, Codec]:
    """The codec that each state of a rule must have."""
    found = {}
    for state in parse(getattr(rules, rule)).states:
        kind = "square" if state == SQUARES.get(rule) else "mean"
        found[state] = FORMATS[form]["exact" if state == EXACT.get(rule) else kind]
    return found


def start(shape: tuple[int, ...]) -> Array:
    """Parameters around 1."""
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


def gradients(shape: tuple[int, ...], steps: int = STEPS) -> list[Array]:
    """Gradients over six decades in one block, with silent elements and a silent second block."""
    rng = np.random.default_rng([8, *shape])
    scale = 10.0 ** rng.uniform(-3, 3, shape)
    scale.flat[3::7] = 0.0
    scale.flat[BLOCK : 2 * BLOCK] = 0.0
    found = [(rng.normal(size=shape) * scale).astype(np.float32) for _ in range(steps)]
    for k, g in enumerate(found):
        g.flat[k::11] = 0.0
    return found


def check(entry: Mapping[str, Any], p: Array, numpy: Interpreter, what: object) -> None:
    """The parameter and every stored array have the bits of the NumPy run."""
    assert isinstance(numpy, FewBits)
    expected = numpy.kept_as
    assert p.ravel().tobytes() == expected["p"].tobytes(), (what, "p")
    arrays = {name for name, value in entry.items() if isinstance(value, np.ndarray)}
    assert arrays == expected.keys() - {"p"}
    for name in arrays:
        found = np.asarray(entry[name]).ravel()
        assert found.dtype == expected[name].dtype, (what, name)
        assert found.tobytes() == expected[name].tobytes(), (what, name)


@pytest.mark.parametrize(("rule", "form"), sampled(itertools.product(RULES, FEW)))
def test_bits_of_numpy(rule: str, form: str) -> None:
    """Parameters, codes and scales equal an independent NumPy run's, bit for bit, at any length."""
    formula = parse(getattr(rules, rule))
    hypers = {k: v for k, v in HYPERS.items() if k in formula.hypers}
    params = [start(shape) for shape in SHAPES]
    optimizer = make(rule, params, state=everywhere(form), seed=3, **hypers)
    numpy = [
        FewBits(formula, p, codecs(rule, form), 3, own, **hypers) for own, p in enumerate(params)
    ]
    for grads in zip(*(gradients(shape) for shape in SHAPES), strict=True):
        optimizer.step(list(grads))
        for own, g in enumerate(grads):
            numpy[own].step(g)
            check(optimizer.state[own], params[own], numpy[own], (SHAPES[own], numpy[own].t))


@every_format
def test_values_are_what_the_next_step_uses(form: str) -> None:
    """`values` decodes a state to the NumPy run's numbers, in the parameter's shape."""
    formula = parse(rules.adamw)
    for shape in ((301,), (7, 100)):
        p = start(shape)
        optimizer = make("adamw", p, state=everywhere(form))
        numpy = FewBits(formula, p, codecs("adamw", form), 0, 0)
        for g in gradients(shape, 2):
            optimizer.step(g)
            numpy.step(g)
        for name, found in optimizer.values(0).items():
            assert found.shape == shape
            assert found.tobytes() == numpy.state[name].tobytes()


def trained(form: str, size: int, **options: Any) -> dict[str, Any]:
    """What AdamW ends with on a long array, a matrix of odd rows and a turned one."""
    shapes = [(size,), (301, 100), (70, 90)]
    params = [start(shape) for shape in shapes]
    params[2] = params[2].T
    optimizer = make("adamw", params, state=everywhere(form), **options)
    for grads in zip(*(gradients(p.shape, 3) for p in params), strict=True):
        optimizer.step(list(grads))
    return snapshot(optimizer)


@every_format
def test_no_bit_depends_on_threads_or_slices(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One, two and three threads on slices of one block, of three, or of everything agree."""
    size = 20_011
    alone = trained(form, size, threads=1)
    monkeypatch.setattr(phases, "PARALLEL", 0)
    for smallest in (BLOCK, 3 * BLOCK, 1 << 18):
        # The size of a slice must follow, or this test would compare a thing with itself.
        monkeypatch.setattr(chunks, "SMALLEST", smallest)
        monkeypatch.setattr(chunks, "slice_size", lambda total, s=smallest: s)
        for count in (1, 2, 3):
            assert trained(form, size, threads=count) == alone, (smallest, count)


@every_format
def test_resuming_changes_no_bit(form: str) -> None:
    """A run that was saved, and went on in a new optimizer of another seed, has the same bits."""
    shape = (301, 100)
    whole, p = start(shape), start(shape)
    one = make("adamw", whole, state=everywhere(form), seed=11)
    first = make("adamw", p, state=everywhere(form), seed=11)
    grads = gradients(shape)
    for g in grads[:2]:
        one.step(g)
        first.step(g)
    saved = first.state_dict()
    assert saved["seed"] == 11
    second = make("adamw", p, state=everywhere(form), seed=99)
    second.load_state_dict(saved)
    for g in grads[2:]:
        one.step(g)
        second.step(g)
    assert snapshot(second) == snapshot(one)
    assert second.state_dict()["seed"] == 11


def test_named_parameters_keep_their_words() -> None:
    """A saved state goes on with the same bits where the parameters come in another order."""
    shape = (200,)
    grads = {"a": gradients(shape), "b": [-g for g in gradients(shape)]}

    def fresh(order: str) -> tuple[adamas.Optimizer, dict[str, Array]]:
        params = {name: start(shape) for name in order}
        return adamas.AdamW(params, state=everywhere("int8"), seed=2), params

    one, straight = fresh("ab")
    for k in range(4):
        one.step({name: grads[name][k] for name in "ab"})
        if k == 1:
            saved = one.state_dict()
            halfway = {name: p.copy() for name, p in straight.items()}
    other, turned = fresh("ba")
    other.load_state_dict(saved)
    for name, p in halfway.items():
        np.copyto(turned[name], p)
    for k in (2, 3):
        other.step({name: grads[name][k] for name in "ba"})
    for name in "ab":
        assert turned[name].tobytes() == straight[name].tobytes()
        for key, value in one.state[name].items():
            assert np.array_equal(value, other.state[name][key]), (name, key)


def test_words_differ() -> None:
    """Another seed, another tensor or another step rounds the same numbers differently."""
    shape = (4096,)
    g = gradients(shape)[0]
    made = [adamas.AdamW([start(shape)], state=everywhere("int8"), seed=s) for s in (0, 1)]
    twins = adamas.AdamW([start(shape), start(shape)], state=everywhere("int8"), seed=0)
    for optimizer in made:
        optimizer.step([g])
    twins.step([g, g])
    codes = [optimizer.state[0]["v"] for optimizer in made]
    assert (codes[0] != codes[1]).mean() > 0.1
    assert np.array_equal(twins.state[0]["v"], codes[0])
    assert (twins.state[1]["v"] != codes[0]).mean() > 0.1
    # With beta = 0 the momentum is the gradient, the same at every step.
    again = make("momentum", start(shape), state=everywhere("int8"), beta=0.0)
    again.step(g)
    first = again.state[0]["m"].copy()
    again.step(g)
    assert (again.state[0]["m"] != first).mean() > 0.1


RECORD = """
def f(p, g, a, b, *, beta=0.0, eps=1.0):
    a = g
    b = beta * b + g * g
    return p + a + a / (sqrt(b) + eps), a, b
"""


@every_format
def test_roundings_are_independent(form: str, tmp_path: Path) -> None:
    """What is rounded up in one array says nothing about the others, the parameter among them.

    A block's elements are dithered alike, so 512 blocks are at least 512 independent pairs, whose
    correlation is 0 +- 0.044; two arrays that shared their random bits would have 0.5.
    """
    size = 1 << 16
    p = bfloat16(np.zeros(size))
    formula = parse(function(tmp_path, RECORD))
    optimizer = adamas.Optimizer(formula, p, state=everywhere(form), seed=4)
    # Between two levels of every format, and not where the formats' own fractions coincide.
    g = (1 + np.random.default_rng(9).uniform(0.0625, 0.4375, size)).astype(np.float32)
    optimizer.step(g)
    stored = {name: value.astype(np.float64) for name, value in optimizer.values(0).items()}
    wide = g.astype(np.float64)
    errors = {"a": stored["a"] - wide, "b": stored["b"] - wide**2}
    errors["p"] = widened(p) - (wide + wide / (wide + 1))
    names = list(errors)
    table = np.corrcoef([errors[name] for name in names])
    assert np.all(np.abs(table - np.eye(len(names))) < 0.2), table


@every_format
def test_memory(form: str) -> None:
    """AdamW's state is at most 2.2 bytes a parameter in int8, 1.2 in int4, 4 in bfloat16."""
    optimizer = make("adamw", np.zeros(1 << 16, np.float32), state=everywhere(form))
    arrays = [value for value in optimizer.state[0].values() if isinstance(value, np.ndarray)]
    found = sum(array.nbytes for array in arrays) / (1 << 16)
    assert found == {"int8": 2 + 2 / BLOCK, "int4": 1 + 2 / BLOCK, "bfloat16": 4}[form]
    assert found <= {"int8": 2.2, "int4": 1.2, "bfloat16": 4.0}[form]


SCRIPT = """
import sys
import numpy as np
from test_few_bits import stepped
np.savez(sys.argv[1], **{str(k): v for k, v in enumerate(stepped())})
"""


def stepped() -> list[Array]:
    """Every array of a few small runs: AdamW and NAdam in all formats, and bfloat16 masters."""
    found: list[Array] = []
    for rule, form in (("adamw", "int8"), ("adamw", "int4"), ("nadam", "bfloat16")):
        params = [start((130,)), start((2, 33))]
        optimizer = make(rule, params, state=everywhere(form), seed=5)
        for grads in zip(*(gradients(p.shape, 2) for p in params), strict=True):
            optimizer.step(list(grads))
        entries = optimizer.state.values()
        found += [*params, *(x for e in entries for x in e.values() if isinstance(x, np.ndarray))]
    return found


def test_stepping_through_python_gives_the_bits_of_the_machine_code(tmp_path: Path) -> None:
    """With NUMBA_DISABLE_JIT=1 the few-bit kernels run in plain Python, to the same bits."""
    here = os.pathsep.join([str(HELPERS), str(Path(__file__).parent)])
    subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(tmp_path / "found.npz")],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": here},
        check=True,
        timeout=120,
    )
    found = np.load(tmp_path / "found.npz")
    compiled = stepped()
    assert len(found) == len(compiled)
    for k, array in enumerate(compiled):
        assert found[str(k)].tobytes() == array.tobytes(), k

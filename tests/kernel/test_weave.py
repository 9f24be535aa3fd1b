"""A woven kernel computes what the formula means, whatever its names and its values."""

import ast
import math
import platform
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from adamas import rules, show, words
from adamas.codecs import find
from adamas.engine.optimizer import Optimizer
from adamas.kernel import build as building
from adamas.kernel.build import build
from adamas.kernel.formula import Formula, parse
from adamas.kernel.hoist import hoist
from adamas.kernel.processors import here
from adamas.kernel.reference import Reference
from adamas.kernel.runtime import intrinsics, stepping
from adamas.kernel.variants import with_average
from adamas.kernel.weave import Layout, weave
from error_bounds import Analysis
from family import ELEMENTWISE
from formulas import rules as random_rules
from hoisted import Interpreter
from long_form import few_of
from written import function

Array = NDArray[Any]

# A vector body, a remainder, and more than one tile.
SIZE = 301
RNG = np.random.default_rng(0)
START = RNG.normal(size=SIZE)
START[:4] = 0.0, -0.0, 1.0, -1.0
GRADIENTS = RNG.normal(size=(3, SIZE))
GRADIENTS[1, 3:9] = 0.0

every_rule = pytest.mark.parametrize("rule", ELEMENTWISE)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for rules and kernels that no second run will need."""
    return tmp_path_factory.mktemp("rules")


def layout(formula: Formula, dtype: str, zero_grads: bool = False) -> Layout:
    """The layout in which everything has one dtype."""
    codec = find(dtype)
    return Layout(codec, codec, (codec,) * len(formula.states), zero_grads)


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(text=random_rules(), dtype=st.sampled_from(["float32", "float64"]))
def test_any_formula_compiles_to_what_it_means(folder: Path, text: str, dtype: str) -> None:
    """A random rule's kernel stays within the analysed rounding error of the reference."""
    formula = parse(function(folder, text))
    p = START.astype(dtype)
    reference, analysis = Reference(formula, p), Analysis(formula, p, dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADAMAS_CACHE_DIR", str(folder))
        optimizer = Optimizer(formula, p)
        for g in GRADIENTS.astype(dtype):
            optimizer.step(g)
            reference.step(g)
            analysis.step(g)
    for name, expected in {"p": reference.p, **reference.state}.items():
        found = p if name == "p" else optimizer.state[0][name]
        away = np.abs(np.asarray(found, np.float64) - expected)
        assert (away <= analysis.bound(name)).all(), name


# p and every state take one hyper-parameter each.
AWKWARD_STATES = [
    "m", "k1", "n", "i", "row", "job", "scale", "p_next", "m_next", "update", "prologue", "run",
    "slice", "tile", "β",
]  # fmt: skip
AWKWARD_HYPERS = [
    "x", "k2", "k3", "h", "j", "step", "float32", "numba", "p_at", "factor", "g_2", "lr_2",
    "value", "t_2", "count", "π",
]  # fmt: skip


def test_a_rule_may_use_any_name(tmp_path: Path) -> None:
    """No name of a rule collides with those of the generated code or of the compiler's own making.

    p and the states are shifted by one each step, and each adds its own hyper-parameter.
    """
    states, hypers = AWKWARD_STATES, AWKWARD_HYPERS
    moved = ", ".join(
        f"{a} + {b} * t" for a, b in zip(["g", "p", *states[:-1]], hypers, strict=True)
    )
    given = ", ".join(f"{name}={k}" for k, name in enumerate(hypers, start=1))
    text = f"def f(p, g, {', '.join(states)}, *, t, {given}):\n    return {moved}"
    formula = parse(function(tmp_path, text))
    p = START.copy()
    optimizer = Optimizer(formula, p)
    columns = [p.copy(), *(np.zeros((len(states), SIZE)))]
    for t, g in enumerate(GRADIENTS, start=1):
        optimizer.step(g)
        columns = [x + k * t for k, x in enumerate([g, *columns[:-1]], start=1)]
    for name, expected in zip(["p", *states], columns, strict=True):
        found = p if name == "p" else optimizer.state[0][name]
        np.testing.assert_array_equal(found, expected, err_msg=name)


@pytest.mark.usefixtures("fresh_cache")
@pytest.mark.parametrize("dtype", few_of(["float32", "float64"], 1))
def test_a_rule_may_keep_many_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    """More states than a kernel has alias scopes are slower, not wrong."""
    # There are 32; a rule of so many states takes long to compile.
    monkeypatch.setattr(intrinsics, "SCOPES", 4)
    states = [f"s{k}" for k in range(6)]
    moved = ", ".join(["p - lr * s5", "g", *(f"{s} + g" for s in states[:-1])])
    text = f"def f(p, g, {', '.join(states)}, *, lr=0.5):\n    return {moved}"
    formula = parse(function(tmp_path, text))
    optimizer = Optimizer(formula, START.astype(dtype))
    run = Interpreter(formula, START.astype(dtype), dtype)
    for g in GRADIENTS.astype(dtype):
        optimizer.step(g)
        run.step(g)
    for name in states:
        np.testing.assert_array_equal(optimizer.state[0][name], run.state[name])


# Everything that arithmetic treats in its own way; the large and the small ones are float32's.
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, -1e-45, 1.2e-38, 3.4e38, -3.4e38]
SPECIAL += [np.inf, -np.inf, np.nan, 2.5]
WORDS = {
    "larger": "maximum(p, g)",
    "smaller": "minimum(p, g)",
    "way": "sign(g)",
    "size": "abs(g)",
    "root": "sqrt(g)",
    "chosen": "where(g > p, p, 2 * g)",
    "equal": "p if g == p else -1.0",
    "unequal": "where(g != p, g, -1.0)",
    "tested": "1.0 if g else 0.0",
    "total": "p + g",
    "difference": "p - g",
    "product": "p * g",
    "quotient": "p / g",
    "minus": "-g",
}


@every_dtype
def test_special_values_are_treated_as_ieee_says(tmp_path: Path, dtype: str) -> None:
    """NaN, infinities, subnormals and zeros of both signs give what NumPy's words give."""
    made = ", ".join(WORDS)
    text = f"def f(p, g, {made}, *, lr=1.0):\n    return p, {', '.join(WORDS.values())}"
    f = function(tmp_path, text)
    p, g = (np.ravel(x).astype(dtype) for x in np.meshgrid(SPECIAL, SPECIAL))
    optimizer = Optimizer(f, p, on_nonfinite="allow")
    optimizer.step(g)
    vocabulary = {word: getattr(words, word) for word in words.__all__} | {"p": p, "g": g}
    vectors = {**WORDS, "equal": "where(g == p, p, -1.0)", "tested": "where(g != 0, 1.0, 0.0)"}
    for name, expression in vectors.items():
        with np.errstate(all="ignore"):
            expected = eval(expression, dict(vocabulary))
        found = optimizer.state[0][name]
        np.testing.assert_array_equal(found, expected, err_msg=name)
        if name not in ("way", "larger", "smaller"):
            # Which zero these three return is left open, by IEEE and by NumPy.
            real = ~np.isnan(found)
            assert (np.signbit(found) == np.signbit(expected))[real].all(), name


@every_dtype
def test_exp_and_log_of_special_values(tmp_path: Path, dtype: str) -> None:
    """The two library words agree with NumPy's to 4 units, and exactly where the result is not."""
    text = "def f(p, g, e, n, q, *, lr=1.0):\n    return p, exp(g), log(g), abs(g) ** 1.5"
    g = np.array([*SPECIAL, 88.0, -87.0, 3.0, 1e-10, 1 + 1e-3], dtype)
    optimizer = Optimizer(function(tmp_path, text), np.zeros_like(g), on_nonfinite="allow")
    optimizer.step(g)
    with np.errstate(all="ignore"):
        for name, expected in {"e": np.exp(g), "n": np.log(g), "q": np.abs(g) ** 1.5}.items():
            found = optimizer.state[0][name]
            tolerance = 4 * float(np.finfo(dtype).eps)
            np.testing.assert_allclose(found, expected, rtol=tolerance, err_msg=name)


LIBRARY = {
    "s": ("sin(g)", np.sin),
    "c": ("cos(g)", np.cos),
    "h": ("tanh(g)", np.tanh),
    "a": ("atan2(g, p)", np.arctan2),
}


@every_dtype
def test_angles_of_special_values(tmp_path: Path, dtype: str) -> None:
    """Sine, cosine, tanh and atan2 are NumPy's float64 ones, rounded, with NaN and zeros alike."""
    values = ", ".join(text for text, _ in LIBRARY.values())
    text = f"def f(p, g, {', '.join(LIBRARY)}):\n    return p, {values}"
    numbers = [*SPECIAL, np.pi, -np.pi / 2, 3.0, 22.0, 1e4, -0.3]
    p, g = (np.ravel(x).astype(dtype) for x in np.meshgrid(numbers, numbers))
    optimizer = Optimizer(function(tmp_path, text), p, on_nonfinite="allow")
    optimizer.step(g)
    for name, (_, function_of) in LIBRARY.items():
        given = (g, p) if name == "a" else (g,)
        with np.errstate(all="ignore"):
            expected = function_of(*(x.astype(np.float64) for x in given)).astype(dtype)
        found = optimizer.state[0][name]
        tolerance = 2 * float(np.finfo(dtype).eps)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-40, err_msg=name)
        real = ~np.isnan(found)
        assert (np.signbit(found) == np.signbit(expected))[real].all(), name


@every_dtype
def test_angles_step_by_step_are_those_of_the_machine(tmp_path: Path, dtype: str) -> None:
    """Plain Python's numbers, for a debugger, have the bits of the compiled ones."""
    values = ", ".join(text for text, _ in LIBRARY.values())
    text = f"def f(p, g, {', '.join(LIBRARY)}):\n    return p, {values}"
    rng = np.random.default_rng(3)
    p, g = (np.append(rng.normal(size=200) * 3, SPECIAL).astype(dtype) for _ in "pg")
    optimizer = Optimizer(function(tmp_path, text), p, on_nonfinite="allow")
    optimizer.step(g)
    one = np.dtype(dtype).type
    for name, word in zip(LIBRARY, ("sin", "cos", "tanh", "atan2"), strict=True):
        given = zip(g, p, strict=True) if name == "a" else zip(g, strict=True)
        expected = [getattr(stepping, word)(*map(one, each)) for each in given]
        np.testing.assert_array_equal(optimizer.state[0][name], np.array(expected), err_msg=name)


def test_a_kernel_imports_the_words_of_the_library_only_if_it_calls_them(tmp_path: Path) -> None:
    """Rules without them print the kernel of before, and may call their own numbers `cos`."""
    named = "def f(p, g, *, cos=0.1, tanh=2):\n    return p - cos * g * tanh"
    calling = "def f(p, g, *, cos=0.1):\n    return p - cos * tanh(g)"
    for text, line in ((named, ""), (calling, "runtime.machine import tanh\n")):
        formula = parse(function(tmp_path, text))
        source = weave(formula, layout(formula, "float32"), "0", here()).source
        assert source.count("runtime.machine import") == 3 + bool(line), text
        assert line in source
    p = np.array([1.0, 2.0])
    Optimizer(function(tmp_path, calling), p, cos=0.5).step(np.array([0.5, -1.0]))
    np.testing.assert_allclose(p, [1 - 0.5 * math.tanh(0.5), 2 + 0.5 * math.tanh(1)], rtol=1e-15)


@every_dtype
def test_zeroed_gradients_and_the_average_change_no_other_bit(dtype: str) -> None:
    """`zero_grads` leaves zeros, `ema` keeps the average, and p and the state are as without."""
    plain, both = START.astype(dtype), START.astype(dtype)
    alone = Optimizer(rules.nadam, plain)
    with_both = Optimizer(rules.nadam, both, zero_grads=True, ema=0.9)
    run = Interpreter(with_average(parse(rules.nadam)), START.astype(dtype), dtype, ema=0.9)
    for g in GRADIENTS.astype(dtype):
        alone.step(g)
        run.step(g)
        with_both.step(g)
        assert not g.any()
        assert not np.signbit(g).any()
    np.testing.assert_array_equal(both, plain)
    for name in ("m", "v"):
        np.testing.assert_array_equal(with_both.state[0][name], alone.state[0][name])
    np.testing.assert_array_equal(with_both.state[0]["average"], run.state["average"])


@pytest.fixture
def uncompiled(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are built as ever but for the machine code: `run` is what would be compiled."""
    monkeypatch.setattr(building, "_built", {})
    monkeypatch.setattr(building, "_machine_code", lambda function, path: function)


@every_rule
@every_dtype
@pytest.mark.usefixtures("uncompiled")
def test_every_source_is_the_readable_kernel_that_runs(rule: str, dtype: str) -> None:
    """What `show` prints is what is compiled, and its first line says what is stored how."""
    formula = parse(getattr(rules, rule))
    source = show.kernel_source(formula, dtype)
    run: Any = build(formula, layout(formula, dtype)).run
    assert source == Path(run.__code__.co_filename).read_text()
    tree = ast.parse(source)
    assert (ast.get_docstring(tree) or "").startswith(f"{rule}: p {dtype}, g {dtype}")
    found = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert found == ["prologue", "update", "ask", "run"]
    assert max(map(len, source.splitlines())) <= 120


def test_a_source_has_the_lines_of_the_paper() -> None:
    """The kernel of AdamW reads like AdamW: the line of the step stands in it as it was written."""
    source = show.kernel_source(parse(rules.adamw))
    assert "\n                p = p - lr * m_hat / (sqrt(v_hat) + eps)\n" in source


def test_a_constant_that_is_shared_is_computed_once() -> None:
    """`1 - beta1` and its like have one place in the table each, however often they are used."""
    formula = parse(rules.schedule_free_adamw)
    source = weave(formula, layout(formula, "float32"), "0", here()).source
    stored = re.findall(r"_m.store_float64\(_row, \d+, 0, (.*?)\)(?:  #|\n)", source)
    assert len(stored) == len(set(stored)) == len(hoist(formula).constants) + 1


def test_show_finds_rules_and_refuses_what_is_none(tmp_path: Path) -> None:
    """`show` takes a name of the family or `file.py:function`, and says what else is wrong."""
    path = tmp_path / "mine.py"
    path.write_text(
        "import adamas\n@adamas.rule\ndef one(p, g, *, lr=0.1):\n    return p - lr * g\n"
        "def two(p, g, *, lr=0.1):\n    return p - lr * g\nthree = 3\n"
    )
    (tmp_path / "rule.py").write_text(
        "import adamas\n@adamas.rule\ndef one(p, g):\n    return p - g * (1 / 0)\n"
    )
    assert show.find_rule("adamw").name == "adamw"
    assert show.find_rule(f"{path}:one").name == "one"
    assert show.find_rule(f"{path}:two").name == "two"
    for name, message in (
        ("schedule_free_average", "no rule 'schedule_free_average'. The rules are sgd, momentum"),
        (f"{path}:four", "has no function 'four'"),
        (f"{tmp_path}/none.py:one", "is not a Python file"),
        (f"{tmp_path}:one", "is not a Python file"),
        (f"{path}:three", "is int, not a function"),
        (f"{tmp_path}/rule.py:one", "rule 'one': `1 / 0` is inf"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            show.find_rule(name)
    with pytest.raises(ValueError, match="no storage format 'float16'; adamas stores float32"):
        show.kernel_source(show.find_rule("adam"), "float16")
    with pytest.raises(ValueError, match="no storage format 'int3'"):
        show.kernel_source(show.find_rule("sgd"), "float32", "int3")
    with pytest.raises(ValueError, match="float16 may be gradients"):
        show.kernel_source(show.find_rule("adam"), "float16", "int8")


X86 = platform.machine().lower() in ("x86_64", "amd64")


@pytest.mark.skipif(not X86, reason="looks for x86 instructions")
@pytest.mark.parametrize("rule", few_of(ELEMENTWISE, 9))
@pytest.mark.usefixtures("uncompiled")
def test_every_loop_is_vectorised(rule: str) -> None:
    """Roots and divisions work on whole vectors: the machine code holds their packed forms."""
    from numba import float64, int64

    from adamas.kernel.runtime import machine

    formula = parse(getattr(rules, rule))
    run: Any = build(formula, layout(formula, "float32")).run
    # The loop alone has no machine code, and what came from Numba's cache shows none.
    update = machine.entry(False)(run.__globals__["update"].py_func)
    update.compile((int64, float64, int64, int64))
    (code,) = update.inspect_asm().values()
    text = ast.unparse(ast.Module(list(hoist(formula).body), []))
    # An angle is the C library's, which has no packed form.
    vectors = "atan2(" not in text
    expected = {"mulps": True, "sqrtps": "sqrt(" in text, "divps": " / " in text}
    for instruction, wanted in expected.items():
        if wanted and vectors:
            assert re.search(rf"\bv?{instruction}\s[^\n]*%[xyz]mm", code), instruction

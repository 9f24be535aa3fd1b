"""A formula may call its numbers what it likes: no name of generated code is in its way."""

import ast
import builtins
import io
import keyword
import tokenize
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas import codecs, rules, words
from adamas.codecs import Codec
from adamas.engine.optimizer import Optimizer
from adamas.engine.options import RESERVED
from adamas.kernel.formula import TAKEN_STATES, Formula, parse
from adamas.kernel.kinds import kinds
from adamas.kernel.layout import Layout
from adamas.kernel.processors import here
from adamas.kernel.variants import with_average
from adamas.kernel.weave import weave
from few_bits import everywhere
from long_form import few_of
from written import function

# Format of the parameter, of the gradient, and what the state is asked to be.
FORMATS: list[tuple[Codec, Codec, str]] = [
    (codecs.FLOAT32, codecs.FLOAT32, "float32"),
    (codecs.FLOAT32, codecs.FLOAT64, "float32"),
    (codecs.FLOAT64, codecs.FLOAT32, "float64"),
    (codecs.BFLOAT16_RANDOM, codecs.BFLOAT16, "bfloat16"),
    (codecs.SPLIT8, codecs.FLOAT16, "int8"),
    (codecs.SPLIT16, codecs.FLOAT32, "int4"),
    (codecs.FLOAT32, codecs.FLOAT32, "int8"),
    (codecs.FLOAT64, codecs.FLOAT64, "int4"),
]
ENDINGS = ("at", "kept", "old", "most", "new", "low", "at_scale", "at_rest", "next", "2", "value")
PLAIN = ("m", "v", "product", "decay", "step_size")


def source(formula: Formula, formats: tuple[Codec, Codec, str]) -> str:
    """The kernel of a formula in one of the formats."""
    p, g, state = formats
    kept = tuple(codecs.stored(state, kind.name) for kind in kinds(formula).values())
    return weave(formula, Layout(p, g, kept, zero_grads=True), "0", here()).source


def text(names: tuple[str, ...]) -> str:
    """Adam, with these names of two states, a number per tensor, a hyper and a local."""
    m, v, product, decay, local = names
    return f"""
    def f(p, g, {m}, {v}, {product}=1.0, *, lr=0.1, {decay}=0.9):
        {m} = {decay} * {m} + (1 - {decay}) * g
        {v} = {decay} * {v} + (1 - {decay}) * g * g
        {product} = {product} * {decay}
        {local} = {m} / (1 - {product})
        p = p - lr * {local} / (sqrt({v} / (1 - {product})) + 0.001)
        return p, {m}, {v}, {product}
    """


@cache
def pool() -> tuple[str, ...]:
    """Every identifier in any generated source, Python's own, and what is made of a state's."""
    every = [parse(getattr(rules, name)) for name in ("adamw", "nadam", "amsgrad")]
    found = {*dir(builtins), "cls", "self", "λ", "学习率", "ﬁ", "m" * 300}
    for formula in every:
        for formats in FORMATS:
            for token in tokenize.generate_tokens(io.StringIO(source(formula, formats)).readline):
                if token.type == tokenize.NAME:
                    found |= {token.string, token.string.lstrip("_")}
    found |= {f"{name}_{end}" for name in ("m", "v", "p", "g", "mean8", "k1") for end in ENDINGS}
    taken = {*words.__all__, *keyword.kwlist, *RESERVED, *TAKEN_STATES, "p", "g", "t", "lr"}
    return tuple(sorted(n for n in found - taken if n.isidentifier() and not n.startswith("_")))


def clashes(source: str) -> set[str]:
    """Names that a formula's own could stand for in the functions that hold the formula."""
    tree = ast.parse(source)
    outside = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    outside |= {
        alias.asname or alias.name
        for n in tree.body
        if isinstance(n, ast.ImportFrom)
        for alias in n.names
    }
    found = set()
    for body in (n for n in tree.body if isinstance(n, ast.FunctionDef)):
        if body.name not in ("update", "prologue"):
            continue
        names = [n for n in ast.walk(body) if isinstance(n, ast.Name) and n.id not in words.__all__]
        stored = {n.id for n in names if isinstance(n.ctx, ast.Store)} | {
            a.arg for a in body.args.args
        }
        read = {n.id for n in names if isinstance(n.ctx, ast.Load)} - stored
        found |= {n for n in read if not n.startswith("_")}
        found |= {n for n in stored & outside if n.startswith("_")}
    return found


@given(
    names=st.lists(st.sampled_from(pool()), min_size=5, max_size=5, unique=True),
    formats=st.sampled_from(FORMATS),
    average=st.booleans(),
)
def test_no_name_stands_for_anything_else(
    tmp_path_factory: pytest.TempPathFactory,
    names: list[str],
    formats: tuple[Codec, Codec, str],
    average: bool,
) -> None:
    """Whatever a state, a local or a hyper-parameter is called, it is read nowhere else."""
    formula = parse(function(tmp_path_factory.mktemp("names"), text(tuple(names))))
    if average and "average" not in names:
        formula = with_average(formula)
    assert clashes(source(formula, formats)) == set()


def test_a_clash_is_found() -> None:
    """The check above can fail: a function that is called by a plain name is one."""
    broken = "def decode(x):\n    return x\n\ndef update(_a):\n    m = decode(_a)\n    return m\n"
    assert clashes(broken) == {"decode"}
    assert clashes(
        broken.replace("decode", "_m_low").replace("m =", "_m_low =").replace(" m", " 1")
    ) == {"_m_low"}


CALLED = [
    (("mean8_decode", "square8_decode", "mean8_low", "bfloat16_decode", "range"), "int8"),
    (("mean8", "square8", "mean8_most", "min", "int32"), "int8"),
    (("mean4_encode", "square4_encode", "mean4", "square4_low", "update"), "int4"),
    (("prologue", "kept", "ask", "print", "学习率"), "float32"),
]


# Two kernels of several seconds each; above, names like all of these are looked for in the sources.
@pytest.mark.parametrize(("names", "state"), few_of(CALLED, 2))
def test_names_do_not_change_the_numbers(
    tmp_path: Path, names: tuple[str, ...], state: str
) -> None:
    """Compiled, a rule whose names are those of the machinery gives the bits of plain names."""
    found = []
    for chosen in (names, PLAIN):
        p = np.linspace(-1, 1, 300, dtype=np.float32)
        optimizer = Optimizer(parse(function(tmp_path, text(chosen))), p, state=everywhere(state))
        for k in range(3):
            optimizer.step(np.cos(np.arange(300, dtype=np.float32) + k))
        found.append(p)
    assert found[0].tobytes() == found[1].tobytes()
    assert not np.array_equal(found[0], np.linspace(-1, 1, 300, dtype=np.float32))


def test_an_average_meets_a_state_that_is_never_read(tmp_path: Path) -> None:
    """`ema` works beside states that are called like its own numbers and only written."""
    f = function(tmp_path, "def f(p, g, kept, average_next, *, lr=0.5):\n    p = p - lr * g\n"
                 "    return p, kept, average_next")  # fmt: skip
    p = np.array([1.0])
    optimizer = Optimizer(f, p, ema=0.5)
    optimizer.step(np.array([1.0]))
    optimizer.step(np.array([1.0]))
    assert optimizer.state[0]["kept"] == 0.0
    # p is 1/2, then 0; the average starts with the first.
    assert optimizer.state[0]["average"] == 0.25

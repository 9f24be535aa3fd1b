"""The hash of a problem from Python: whatever it computes from changes it, or has no hash."""

import functools
import itertools
import random
import threading
import types
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.own.content import UnknownError, content

CODE = "def loss(p):\n    return p * USED"


def looking_up(value: Any, code: str = CODE) -> Callable[..., Any]:
    """Return a function of a notebook's cell that looks up `USED`, which is `value`."""
    cell: dict[str, Any] = {"__name__": "__main__", "USED": value}
    exec(code, cell)
    found: Callable[..., Any] = cell["loss"]
    return found


def closing_over(value: Any) -> Callable[[], Any]:
    """Return a function that closes over `value`."""
    return lambda: value


def model(**held: Any) -> type:
    """Return a class of the user's with these attributes."""
    return type("Model", (), held)


class Pair(NamedTuple):
    """A configuration."""

    width: int
    rate: float


@dataclass
class Settings:
    """Another."""

    width: int = 3
    layers: list[int] = field(default_factory=list)


class Slots:
    """An object without a dictionary."""

    __slots__ = ("width",)

    def __init__(self, width: int) -> None:
        self.width = width


class Numbers(list[int]):
    """A list that has an attribute, too."""

    scale = 1.0


def numbers(scale: float) -> Numbers:
    """Return equal lists of another scale."""
    made = Numbers([1, 2])
    made.scale = scale
    return made


def module(**held: Any) -> types.ModuleType:
    """Return a module of the user's."""
    made = types.ModuleType("mine_alone")
    vars(made).update(held)
    return made


def torch_tensor(value: float) -> Any:
    """Return a tensor that a gradient is wanted of."""
    torch = pytest.importorskip("torch")
    return torch.full((2,), value, requires_grad=True)


PAIRS: list[tuple[str, Callable[[], Any], Callable[[], Any]]] = [
    ("dict", lambda: {"shift": 0.1}, lambda: {"shift": 7.0}),
    ("default dict", lambda: defaultdict(int), lambda: defaultdict(float)),
    ("list", lambda: [64, 64], lambda: [1, 1]),
    ("list with more", lambda: numbers(1.0), lambda: numbers(2.0)),
    ("tuple of arrays", lambda: (np.zeros(2),), lambda: (np.ones(2),)),
    ("array", lambda: np.zeros(2), lambda: np.zeros(2, np.float32)),
    ("array of objects", lambda: np.array([1, "a"], object), lambda: np.array([2, "a"], object)),
    ("masked", lambda: np.ma.array([1, 2], mask=[0, 1]), lambda: np.ma.array([1, 2], mask=[1, 0])),
    ("tensor", lambda: torch_tensor(0.0), lambda: torch_tensor(1.0)),
    ("frame", lambda: pd.DataFrame({"a": ["x"]}), lambda: pd.DataFrame({"a": ["y"]})),
    ("series", lambda: pd.Series([1, 2]), lambda: pd.Series([1, 2], index=[1, 0])),
    ("object", lambda: Settings(3), lambda: Settings(4)),
    ("named tuple", lambda: Pair(3, 0.1), lambda: Pair(3, 0.2)),
    ("slots", lambda: Slots(3), lambda: Slots(4)),
    ("class", lambda: model(shift=0.1), lambda: model(shift=7.0)),
    ("instance", lambda: model(shift=0.1)(), lambda: model(shift=7.0)()),
    ("method", lambda: model(f=lambda self: 1), lambda: model(f=lambda self: 2)),
    ("base", lambda: type("M", (model(a=1),), {}), lambda: type("M", (model(a=2),), {})),
    ("property", lambda: model(f=property(lambda s: 1)), lambda: model(f=property(lambda s: 2))),
    ("bound", lambda: Slots(3).__init__, lambda: Slots(4).__init__),
    ("partial", lambda: functools.partial(max, 1), lambda: functools.partial(max, 2)),
    ("module", lambda: module(rate=1), lambda: module(rate=2)),
    ("function", lambda: looking_up(1), lambda: looking_up(2)),
    ("installed", lambda: np.exp, lambda: np.sin),
    ("set", lambda: {1, 2}, lambda: {1, 3}),
    ("type", lambda: 1, lambda: 1.0),
    ("nesting", lambda: [[1], 2], lambda: [[1, 2]]),
    ("cycle", lambda: [loop(1)], lambda: [loop(2)]),
]  # fmt: skip


def loop(number: int) -> list[Any]:
    """Return a list that holds itself."""
    made: list[Any] = [number]
    made.append(made)
    return made


@pytest.mark.parametrize("uses", [looking_up, closing_over])
@pytest.mark.parametrize(("one", "other"), [pair[1:] for pair in PAIRS], ids=[p[0] for p in PAIRS])
def test_what_a_function_uses_is_its_content(
    uses: Callable[[Any], Any], one: Callable[[], Any], other: Callable[[], Any]
) -> None:
    """Whatever a function looks up or closes over changes its hash; an equal one does not."""
    assert content(uses(one())) == content(uses(one()))
    assert content(uses(one())) != content(uses(other()))


@pytest.mark.parametrize(
    "code",
    [
        "def loss(p):\n    def inner():\n        return USED\n    return inner()",
        "def loss(p):\n    class Inner:\n        held = USED\n    return Inner.held",
        "def loss(p):\n    return [q * USED for q in p]",
        "loss = lambda p: (lambda: USED)()",
    ],
)
def test_what_is_looked_up_inside_counts(code: str) -> None:
    """A global that only a function, class or comprehension within looks up counts."""
    assert content(looking_up({"a": 1}, code)) != content(looking_up({"a": 2}, code))


def test_functions_of_one_line_differ() -> None:
    """Two lambdas of one source line are two functions, and equal ones are one."""
    one, other, same = (lambda p: p * 1.0), (lambda p: p * 2.0), (lambda p: p * 1.0)
    assert content(one) == content(same) != content(other)
    assert content(lambda p, q=1: p) != content(lambda p, q=2: p)


@pytest.mark.parametrize(
    "made",
    [
        threading.Lock,
        lambda: random.Random(1),
        lambda: np.random.default_rng(1),
        lambda: np.random.default_rng(1).random,
        lambda: iter([1, 2]),
        lambda: (number for number in [1]),
        lambda: itertools.count(),
        lambda: model(__reduce__=lambda self: (int, ()))(),
        lambda: model(__getstate__=lambda self: {})(),
        lambda: looking_up(1, "def loss(p):\n    from . import mine\n    return mine"),
    ],
)
def test_what_cannot_be_told_has_no_hash(made: Callable[[], Any]) -> None:
    """What advances with use, cannot be written, or hides its state is refused by name."""
    for uses in (looking_up, closing_over):
        with pytest.raises(UnknownError, match=r"^an? \w+"):
            content(uses(made()))


def test_a_freed_array_is_not_mistaken() -> None:
    """Arrays that are made while they are read, and freed, are each read."""

    @dataclass
    class Lazy:
        last: float

        def __iter__(self) -> Any:
            return iter(())

        @property
        def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
            return {str(i): np.full(3, self.last * (i > 1) + i) for i in range(6)}

    assert len({content(Lazy(last)) for last in range(20)}) == 20


@given(st.recursive(st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
       st.recursive(st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_equal_trees_have_equal_hashes(one: Any, other: Any) -> None:
    """Two values have one hash exactly if they are written alike, types included."""
    assert (content(one) == content(other)) == (repr(one) == repr(other))


def test_what_is_refused_is_left_as_it_was(tmp_path: Path) -> None:
    """A file that has no hash is still open, and still where it was read to."""
    np.savez(tmp_path / "data.npz", x=np.ones(3))
    with np.load(tmp_path / "data.npz") as held, (tmp_path / "data.npz").open("rb") as file:
        for one in (held, file):
            with pytest.raises(UnknownError):
                content(closing_over(one))
        assert file.tell() == 0 and held["x"].sum() == 3

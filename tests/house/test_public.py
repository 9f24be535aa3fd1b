"""What `adamas` offers by name is all there is, and every name says what it takes and raises."""

import importlib.metadata
import inspect
import pkgutil
import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import adamas
from adamas import rules, schedule, words
from adamas.classes import CLASSES
from adamas.words import sign

METHODS = [
    name
    for name, value in vars(adamas.Optimizer).items()
    if not name.startswith("_") and (callable(value) or isinstance(value, property))
]


def test_all_is_what_is_public() -> None:
    """`adamas.__all__` holds every public name, and no other name is in sight but submodules."""
    submodules = {module.name for module in pkgutil.iter_modules(adamas.__path__)}
    public = {name for name in vars(adamas) if not name.startswith("_")}
    assert public - (submodules - set(adamas.__all__)) - {"TYPE_CHECKING"} == set(adamas.__all__)
    assert len(set(adamas.__all__)) == len(adamas.__all__)
    assert set(CLASSES) < set(adamas.__all__)


@pytest.mark.parametrize("module", [rules, schedule, words])
def test_public_modules_list_their_names(module: ModuleType) -> None:
    """Each public module's `__all__` names what it defines, each name once."""
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def first_line(thing: Any) -> str:
    """The first line of a docstring of its own, not one inherited."""
    assert thing.__doc__, thing
    return inspect.cleandoc(thing.__doc__).partition("\n")[0]


DOCUMENTED = {
    **{name: getattr(adamas, name) for name in adamas.__all__},
    **{f"Optimizer.{name}": getattr(adamas.Optimizer, name) for name in METHODS},
    **{
        f"{module.__name__}.{name}": getattr(module, name)
        for module in (rules, schedule, words)
        for name in module.__all__
    },
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_docstrings_begin_with_a_sentence(name: str) -> None:
    """Every public name has a docstring whose first line is one whole sentence."""
    line = first_line(DOCUMENTED[name])
    assert line.endswith("."), line
    assert not re.search(r"[.!?] [A-Z]", line), line
    assert line[0].isupper() or not line[0].isalpha() or line.startswith(("adamas", "lr")), line
    assert len(line) <= 96


@pytest.mark.parametrize("name", rules.__all__)
def test_rules_cite_their_source(name: str) -> None:
    """Every rule names a paper with its year, and the place in it or the form it is taken from."""
    doc = inspect.getdoc(getattr(rules, name)) or ""
    assert re.search(r"[A-Z][\w&,. ]+ (19|20)\d\d", doc), doc
    assert re.search(
        r"Algorithm \d|eq\. \d|Figure \d|section \d|Lecture \d|p\. \d|arXiv \d{4}\.\d{5}", doc
    ), doc


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Optimizer", ("params", "float32", "float64", "shape", "Raises", "TypeError", "threads")),
        ("Optimizer.step", ("form", "float32", "None", "Rows", "loss_scale", "NonFiniteError")),
        ("Optimizer.sync", ("exact", "row numbers", "Raises")),
        ("Optimizer.state_dict", ("bit for bit", "copy=False", "Schedules")),
        ("Optimizer.load_state_dict", ("ValueError", "nothing changed", "strict=False", "dtype")),
        ("Optimizer.param_groups", ("params", "names", "changed")),
        ("Optimizer.steps", ("steps",)),
        ("Rows", ("(n,)", "(n, *row shape)", "float64", "negative", "Duplicate")),
        ("NonFiniteError", ("key", "nothing was changed")),
        ("rule", ("p, g", "state", "FormulaError")),
    ],
)
def test_docstrings_say(name: str, said: tuple[str, ...]) -> None:
    """Shapes, dtypes, errors and limits stand where a reader looks for them."""
    doc = " ".join((inspect.getdoc(DOCUMENTED[name]) or "").split())
    assert [word for word in said if word not in doc] == []


def test_every_option_is_described() -> None:
    """The docstring of `Optimizer` describes each of its options."""
    doc = inspect.getdoc(adamas.Optimizer) or ""
    parameters = inspect.signature(adamas.Optimizer).parameters.values()
    options = [q.name for q in parameters if q.kind is q.KEYWORD_ONLY]
    assert len(options) == 14
    assert [name for name in options if f"- `{name}`:" not in doc] == []


def test_version() -> None:
    """`adamas.__version__` is the installed version; other unknown names are AttributeErrors."""
    assert adamas.__version__ == importlib.metadata.version("adamas")
    with pytest.raises(AttributeError, match="module 'adamas' has no attribute 'Adma'"):
        adamas.Adma  # type: ignore[attr-defined]  # noqa: B018


def test_a_rule_of_one_s_own() -> None:
    """A decorated rule shows itself, still runs as the function it is, and makes optimizers."""

    @adamas.rule
    def signum(p, g, m, *, lr=1e-3, beta=0.9):  # type: ignore[no-untyped-def]
        """Signum, Bernstein et al. 2018, Algorithm 1."""
        m = beta * m + (1 - beta) * g
        return p - lr * sign(m), m

    assert (signum.__name__, signum.__doc__) == (  # type: ignore[attr-defined]
        "signum",
        "Signum, Bernstein et al. 2018, Algorithm 1.",
    )
    assert repr(signum) == "<rule signum: state m; lr=0.001, beta=0.9>"
    assert signum.function(1.0, -2.0, 0.0, lr=0.5) == (1.5, pytest.approx(-0.2))
    for optimizer in (signum(np.zeros(2), lr=0.5), adamas.Optimizer(signum, np.zeros(2), lr=0.5)):
        assert isinstance(optimizer, adamas.Optimizer)
        optimizer.step(np.array([3.0, -4.0]))
        assert optimizer.param_groups[0]["params"][0].tolist() == [-0.5, 0.5]
    with pytest.raises(TypeError, match=r"signum has no setting 'beta1'.*mean 'beta'"):
        signum(np.zeros(2), beta1=0.9)

"""An accepted rule means what it says: to the kernel, to the reference, and run as plain Python."""

import inspect
from pathlib import Path

import pytest

from adamas import rules
from adamas.kernel.formula import parse
from grammar import joined
from three_runs import assert_kernel_agrees, assert_means_its_text
from written import function

ACCEPTED = {
    "augmented": "def f(p, g, m, *, lr=0.1):\n    m *= 0.9\n    m += g\n    p -= lr * m\n"
    "    return p, m",
    "unary": "def f(p, g, *, lr=0.1):\n    return +p + -lr * -(-g)",
    "expressions": "def f(p, g, m, *, lr=0.1):\n    return p - lr * m, 0.9 * m + g",
    "swapped": "def f(p, g, m, v, *, lr=0.1):\n    return p - lr * v, v + g, m",
    "reassigned scalar": "def f(p, g, *, t, lr=0.1):\n    lr = lr / t\n    p = p - lr * g\n"
    "    lr = lr * p\n    lr = lr + 1\n    t = lr\n    return p - 0.01 * t",
    "initial values": "def f(p, g, m=1.5, s=2, *, lr=0.1):\n    s = s * 0.5\n    m = m + g * s\n"
    "    return p - lr * m, m, s",
    "scalar p": "def f(p, g, m, *, lr=0.1):\n    m = m + g\n    p = lr\n    return p, m",
    "nothing read": "def f(p, g, m, *, lr=0.1):\n    return p, m",
    "bare return of a tuple": "def f(p, g, m, *, lr=0.1):\n    return (p - lr * g, m)",
    "positional only": "def f(p, g, m, /, *, lr=0.1):\n    return p - lr * m, m + g",
    "comparisons": "def f(p, g, m, n, k, *, t, lr=0.1):\n    hot = (g > 0) * (m >= 0)\n"
    "    late = (t > 1) * (t != 2)\n    m = m + (g if hot else -g) * late\n"
    "    k = where(t > 2, t == 3, lr) * (lr if late else t) * late\n"
    "    return p - lr * hot * g, m, (g == 0) == late, k",
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_an_accepted_rule_means_what_it_says(tmp_path: Path, text: str) -> None:
    """The reference and the function itself, run on floats, agree for several steps."""
    assert_means_its_text(function(tmp_path, text))


def test_an_accepted_rule_is_compiled_to_what_it_says(tmp_path: Path) -> None:
    """The kernel agrees too, for the rule that reads nothing and for all others in one."""
    assert_kernel_agrees(function(tmp_path, ACCEPTED["nothing read"]))
    # What stands first has the parameter itself; the others' are states.
    first, last = "scalar p", {"nothing read", "positional only"}
    others = [text for name, text in ACCEPTED.items() if name not in {first, *last}]
    assert_kernel_agrees(function(tmp_path, joined([ACCEPTED[first], *others])))


SCALARS = {
    "product of hyper-parameters": ("a = a * lr\n    b = g", {"a"}),
    "one from another": ("a = a + b\n    b = b + t", {"a", "b"}),
    "a cycle": ("c = a\n    a = b\n    b = c", {"a", "b"}),
    "through g": ("a = a + g", {"b"}),
    "through another state": ("b = b + g\n    a = a + b", set()),
    "through a later line": ("a = a * lr\n    a = a + p", {"b"}),
    "through itself a step later": ("a = a + b\n    b = g", set()),
    "g forgotten": ("a = g\n    a = lr", {"a", "b"}),
    "p overwritten first": ("p = lr\n    a = a + p", {"a", "b"}),
    "g only in a test": ("a = a + 1 if g > 0 else a", {"b"}),
    "a choice by scalars": ("a = lr if t == 1 else maximum(a, b)", {"a", "b"}),
    "never assigned": ("lr = lr * 2", {"a", "b"}),
}


@pytest.mark.parametrize(("lines", "scalars"), SCALARS.values(), ids=SCALARS)
def test_which_states_are_one_number_a_tensor(
    tmp_path: Path, lines: str, scalars: set[str]
) -> None:
    """A state is a scalar exactly if p and g never enter it, directly or by any detour."""
    text = f"def f(p, g, a, b, *, t, lr=0.1):\n    {lines}\n    return p, a, b"
    formula = parse(function(tmp_path, text))
    assert set(formula.scalars) == scalars
    assert set(formula.states) == {"a", "b"} - scalars


def test_a_default_may_be_any_real_number(tmp_path: Path) -> None:
    """NumPy's numbers and integers are numbers too."""
    text = "from numpy import float32, int8\ndef f(p, g, m=int8(2), *, lr=float32(0.5), k=3):\n"
    formula = parse(function(tmp_path, text + "    return p - lr * g * k, m + g"))
    assert (formula.hypers, formula.initial) == ({"lr": 0.5, "k": 3.0}, {"m": 2.0})


def test_what_a_formula_holds() -> None:
    """The parts of a formula are those of the signature, in its order, with its defaults."""
    formula = parse(rules.nadam)
    assert (formula.name, formula.states, formula.scalars) == ("nadam", ("m", "v"), ("mu_product",))
    assert formula.initial == {"m": 0.0, "v": 0.0, "mu_product": 1.0}
    assert list(formula.hypers)[:3] == ["lr", "beta1", "beta2"]
    assert formula.hypers["momentum_decay"] == 4e-3
    assert formula.doc == inspect.getdoc(rules.nadam)
    assert formula.source == inspect.getsource(rules.nadam)


def test_formulas_share_a_kernel_only_if_they_compute_the_same(tmp_path: Path) -> None:
    """Comments, layout and defaults do not matter to the key; an operation or an output does."""
    texts = [
        "def f(p, g, m, *, lr=0.1):\n    m = m + g\n    return p - lr * m, m",
        "def f(p, g, m, *, lr=0.2):\n    '''Doc.'''\n\n    m = (m + g)  # sum\n"
        "    return p - lr * m, m",
        "def f(p, g, m, *, lr=0.1):\n    m = m - g\n    return p - lr * m, m",
        "def f(p, g, m, *, lr=0.1):\n    m = m + g\n    return p - lr * m, g",
        "def h(p, g, m, *, lr=0.1):\n    m = m + g\n    return p - lr * m, m",
    ]
    keys = [parse(function(tmp_path, text, text[4])).key for text in texts]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4

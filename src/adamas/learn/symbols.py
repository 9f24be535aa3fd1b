"""What a formula calls the names of a rule: `beta1` is β with a 1, `m_hat` an m with a hat.

A name that a rule assigns several times is several numbers. Each has a symbol of its own here, so
that every line of a formula is an equation: what a state was before the step has the index t-1,
what it is after it the index t, and what it is in between a tilde.
"""

import ast
import copy
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from adamas.kernel.draws import PREFIX
from adamas.kernel.first import names
from adamas.kernel.formula import Formula, target
from adamas.kernel.scopes import apart

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Sigma": "Σ", "Pi": "Π", "infty": "∞",
}  # fmt: skip
"""Letters by LaTeX's names of them."""
LETTERS = {
    "p": "theta", "lr": "eta", "eps": "varepsilon", "epsilon": "varepsilon", "weight": "w",
    "weight_decay": "lambda", "momentum_decay": "psi", "dampening": "tau", "inf": "infty",
    "product": "Pi", "sum": "Sigma",
}  # fmt: skip
"""Names that are written with another letter than their own, as papers write them."""
TILDE = "tilde"
# The value of a state that no line gives it.
LAST = -1


@dataclass(frozen=True)
class Symbol:
    """A letter (LaTeX's name for one that is Greek) or a word, with accents, and what is below.

    Accents come from the inside out; below are numbers, letters, words, and the index of the step.
    """

    base: str
    accents: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    @property
    def word(self) -> bool:
        """Whether it is several letters long, and written upright."""
        return len(self.base) > 1 and self.base not in GREEK

    def at(self, index: str) -> "Symbol":
        """Return the same one at a step."""
        return replace(self, below=(*self.below, index)) if index else self


def symbol(name: str) -> Symbol:
    """Return what a name is written as, whatever the step.

    >>> symbol("beta1"), symbol("m_hat").accents, symbol("rho_inf").below
    (Symbol(base='beta', accents=(), below=('1',)), ('hat',), ('infty',))
    """
    if name.startswith(PREFIX):
        return Symbol("U", (), (str(int(name.removeprefix(PREFIX)) + 1),))
    if name in LETTERS:
        return Symbol(LETTERS[name])
    first, *rest = name.split("_")
    letters = first.rstrip("0123456789") or first
    below = [first[len(letters) :], *(LETTERS.get(one, one) for one in rest if one != "hat")]
    accents = ("hat",) if "hat" in rest else ()
    # `lr_t` has its index by depending on the step.
    kept = tuple(one for one in below if one not in ("", "t"))
    return Symbol(LETTERS.get(letters, letters), accents, kept)


@dataclass(frozen=True)
class Line:
    """One equation: what is on its left, the expression on its right, and what names are in it."""

    left: Symbol
    right: ast.expr
    symbols: Mapping[str, Symbol]


def lines(formula: Formula) -> list[Line]:
    """Return the statements of a rule as equations, as it has them in its text.

    Where the text says more than a line at a time, such as an `if`, it is what became of it.
    """
    statements = as_written(formula)
    # A value is a name and how often it had been assigned; 0 is what it was before the step.
    now = dict.fromkeys(("p", "g", "t", *formula.given, *formula.initial, *formula.hypers), 0)
    now |= dict.fromkeys(formula.draws, 0)
    moving = {(name, 0) for name in ("p", "g", "t", "h", *formula.initial, *formula.draws)}
    rows = []
    for statement in statements:
        read = {name: (name, now[name]) for name in names(statement.value) if name in now}
        name = target(statement)
        now[name] = now.get(name, 0) + 1
        moving |= {(name, now[name])} if moving & {*read.values()} else set()
        rows.append(((name, now[name]), statement.value, read))
    final = {(one, now[one]): state for state, one in formula.outputs.items() if now[one]}
    # What is handed on as it is, or under the name of another state as well, gets a line.
    final |= {(state, LAST): state for state in formula.outputs.keys() - {*final.values()}}
    found = _symbols(formula, [row[0] for row in rows], final, moving)
    made = [
        Line(found[value], right, {name: found[one] for name, one in read.items()})
        for value, right, read in rows
    ]
    for state, one in formula.outputs.items():
        if (state, LAST) in final:
            symbols = {one: found[one, now[one]]}
            made.append(Line(found[state, LAST], ast.Name(one), symbols))
    return made


def _symbols(
    formula: Formula,
    assigned: Sequence[tuple[str, int]],
    final: Mapping[tuple[str, int], str],
    moving: set[tuple[str, int]],
) -> dict[tuple[str, int], Symbol]:
    """The symbol of each value, no two alike."""
    wanted = {("t", 0): Symbol("t")}
    wanted |= {(name, 0): symbol(name).at("t-1") for name in ("p", *formula.initial)}
    steps = {"g", "h", *formula.draws} & {"g", *formula.given, *formula.draws}
    wanted |= {(name, 0): symbol(name).at("t") for name in sorted(steps)}
    wanted |= {(name, 0): symbol(name) for name in (*formula.given, *formula.hypers)}
    wanted |= {value: symbol(state).at("t") for value, state in final.items()}
    known = {name for name, _ in assigned} - {"p", *formula.initial}
    for name, count in reversed(assigned):
        stem, index = name.removesuffix("_next"), "t" if (name, count) in moving else ""
        if stem != name and stem in known and index:
            wanted.setdefault((name, count), symbol(stem).at("t+1"))
        wanted.setdefault((name, count), symbol(name).at(index))
    found: dict[tuple[str, int], Symbol] = {}
    taken: set[Symbol] = set()
    for value, made in wanted.items():
        while made in taken:
            made = replace(made, accents=(*made.accents, TILDE))
        found[value] = made
        taken.add(made)
    return found


def as_written(formula: Formula) -> Sequence[ast.Assign]:
    """The assignments of a rule's own text if they are all there is to it, else the formula's."""
    try:
        (tree,) = ast.parse(textwrap.dedent(formula.source)).body
    except (SyntaxError, ValueError):
        return formula.statements
    body = tree.body if isinstance(tree, ast.FunctionDef) else []
    plain = [one for one in body if isinstance(one, ast.Assign)]
    taken = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if not all(isinstance(one.targets[0], ast.Name) for one in plain):
        return formula.statements
    # `apart` changes what it is given.
    made = apart(copy.deepcopy(plain), taken)
    return plain if _text(made) == _text(formula.statements) else formula.statements


def _text(statements: Iterable[ast.stmt]) -> str:
    return "\n".join(map(ast.unparse, statements))

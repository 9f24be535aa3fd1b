"""Run a hoisted formula operation by operation, with numbers of any kind.

The compiler does not contract, regroup or approximate, so a kernel in float32 must give the bits
that NumPy gives for the same operations in the same order: `Interpreter` is that NumPy run. Any
other class that has the arithmetic can take NumPy's place (see `error_bounds`).
"""

import ast
import math
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.kernel.formula import Formula
from adamas.kernel.hoist import hoist

Array = NDArray[Any]
Vocabulary = Mapping[str, Callable[..., Any]]


def larger(x: Any, y: Any) -> Any:
    """Choose `x` where the two are equal, NaN where either is NaN."""
    return np.where((x >= y) | np.isnan(x), x, y)


def smaller(x: Any, y: Any) -> Any:
    """Choose `x` where the two are equal, NaN where either is NaN."""
    return np.where((x <= y) | np.isnan(x), x, y)


def signs(x: Any) -> Any:
    """-1, 1, or `x` itself where that is a zero of either sign or NaN."""
    one = np.ones((), np.asarray(x).dtype)
    return np.where(x > 0, one, np.where(x < 0, -one, x))


def angle(y: Any, x: Any) -> Any:
    """The C library's, in float64 and rounded once; NumPy's own may differ in the last bit."""
    dtype = np.result_type(y, x)
    found = np.vectorize(math.atan2, otypes=[np.float64])(y, x)
    return found.astype(dtype)[()]


NUMPY: Vocabulary = {
    "sqrt": np.sqrt,
    "abs": np.absolute,
    "sign": signs,
    "maximum": larger,
    "minimum": smaller,
    "where": np.where,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "atan2": angle,
}
# NumPy's own exponential of a single number may differ from the C library's in the last bit.
C_LIBRARY: Vocabulary = {
    **NUMPY,
    "exp": lambda x: np.float64(math.exp(x)),
    "log": lambda x: np.float64(math.log(x)),
}


class Numbers(ast.NodeTransformer):
    """Make every literal a number of the machine, and every choice one that works on arrays."""

    def visit_Constant(self, node: ast.Constant) -> ast.Call:
        """Replace one literal."""
        return ast.Call(ast.Name("_single", ast.Load()), [node], [])

    def visit_IfExp(self, node: ast.IfExp) -> ast.Call:
        """Replace one choice, and those inside it."""
        self.generic_visit(node)
        return ast.Call(ast.Name("where", ast.Load()), [node.test, node.body, node.orelse], [])


def code(node: ast.expr) -> CodeType:
    """Compile one expression."""
    (line,) = ast.parse(ast.unparse(node)).body
    assert isinstance(line, ast.Expr)
    tree = ast.Expression(Numbers().visit(line.value))
    return compile(ast.fix_missing_locations(tree), ast.unparse(node), "eval")


class Machine:
    """A hoisted formula, its tensor and its state; a subclass says what numbers are."""

    once: Vocabulary
    each: Vocabulary

    def __init__(self, formula: Formula, **hypers: float) -> None:
        parts = hoist(formula)
        self.formula = formula
        self.hypers = {k: self.single(v) for k, v in {**formula.hypers, **hypers}.items()}
        self.state: dict[str, Any] = {s: self.single(formula.initial[s]) for s in formula.scalars}
        self.p: Any = None
        self.t = 0
        self._prologue = [(s.targets[0].id, code(s.value)) for s in parts.prologue]  # type: ignore[attr-defined]
        self._body = [(s.targets[0].id, code(s.value)) for s in parts.body]  # type: ignore[attr-defined]
        self._constants = {name: code(value) for name, value in parts.constants.items()}
        self._scalars = {name: code(value) for name, value in parts.next_scalars.items()}
        self._outputs = parts.outputs

    def single(self, value: float) -> Any:
        """Make a number of the prologue."""
        raise NotImplementedError

    def rounded(self, value: Any) -> Any:
        """Make a number of the prologue one of the loop."""
        raise NotImplementedError

    def kept(self, name: str, value: Any) -> Any:
        """Store the new value of p or of a state, and return what a load would read."""
        raise NotImplementedError

    def apply(self, g: Any) -> None:
        """Do one step with gradient `g`, a number of the loop."""
        self.t += 1
        scalars = {s: self.state[s] for s in self.formula.scalars}
        names: dict[str, Any] = {"t": self.single(self.t), **self.hypers, **scalars}
        once = {**self.once, "_single": self.single}
        with np.errstate(all="ignore"):
            for name, value in self._prologue:
                names[name] = eval(value, once, names)
            elements = {
                name: self.rounded(eval(value, once, names))
                for name, value in self._constants.items()
            }
            following = {k: eval(v, once, names) for k, v in self._scalars.items()}
            elements |= {"p": self.p, "g": g, **{s: self.state[s] for s in self.formula.states}}
            for name, value in self._body:
                elements[name] = eval(value, dict(self.each), elements)
            self.state |= following
            for name, output in self._outputs.items():
                value = self.kept(name, elements[output])
                if name == "p":
                    self.p = value
                else:
                    self.state[name] = value


class Interpreter(Machine):
    """The NumPy run: `p` of any shape, computed in dtype `compute`, stored as `dtypes` say.

    `dtypes` maps p and states to dtypes where these differ from `compute`.
    """

    once, each = C_LIBRARY, NUMPY

    def __init__(
        self,
        formula: Formula,
        p: Array,
        compute: str,
        dtypes: Mapping[str, str] | None = None,
        **hypers: float,
    ) -> None:
        super().__init__(formula, **hypers)
        self.compute = np.dtype(compute)
        self.dtypes = dict(dtypes or {})
        self.p = p.astype(compute)
        for name in formula.states:
            self.state[name] = np.full(p.shape, formula.initial[name], compute)

    def single(self, value: float) -> Any:
        """A float64."""
        return np.float64(value)

    def rounded(self, value: Any) -> Any:
        """Round to the dtype of the arithmetic."""
        return self.compute.type(value)

    def kept(self, name: str, value: Any) -> Any:
        """Round to the stored dtype and back."""
        value = np.broadcast_to(value, self.p.shape)
        assert value.dtype == self.compute
        return value.astype(self.dtypes.get(name, self.compute)).astype(self.compute)

    def step(self, g: Array) -> None:
        """Do one step with the gradient array `g`."""
        self.apply(g.astype(self.compute))

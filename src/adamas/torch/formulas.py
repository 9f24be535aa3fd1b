"""A formula as functions of tensors: the kernel's own text, with the words bound to torch.

What depends on hyper-parameters and t alone is computed in float64 on the CPU, as in the kernel;
the body runs on whole tensors of any device, and `torch.compile` fuses it where it can.
"""

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from adamas import words
from adamas.kernel.calls import DRAWN
from adamas.kernel.first import names
from adamas.kernel.formula import Formula, target
from adamas.kernel.hoist import Hoisted, hoist, renamed
from adamas.kernel.scopes import COLUMN, ELEMENT, ONCE, REDUCTIONS, ROW

ELEMENTWISE = [name for name in words.__all__ if name not in (*REDUCTIONS, *DRAWN)]
WORDS: dict[str, Any] = {name: getattr(torch, name) for name in ELEMENTWISE}
NUMBERS: dict[str, Any] = {name: getattr(words, name) for name in words.__all__}


class TensorFormula:
    """`constants(...)` once a step and a tensor, and `body(p, g, *kept, *constants)` on tensors.

    `kept` are the states of elements, then of rows and columns; the body returns the new parameter
    and the new `kept`, then those numbers of the tensor that it `makes`. Where it `reduces`,
    constants and what is not of elements are `widest`, and states of rows and columns have all the
    dimensions of the parameter.
    """

    def __init__(self, formula: Formula) -> None:
        if formula.draws:
            raise ValueError(
                f"{formula.name} draws random numbers, which only parameters on the CPU have yet: "
                "step it there."
            )
        self._parts = parts = hoist(formula)
        self.kept = (*formula.states, *formula.rows, *formula.columns)
        self.makes = tuple(s for s in formula.scalars if s not in parts.next_scalars)
        self.asks_first, self.reduces = parts.first is not None, bool(formula.over)
        once = [*parts.prologue, *_assigned("_next_", parts.next_scalars)]
        once += _assigned("_constant_", parts.constants)
        module = ast.fix_missing_locations(ast.Module([*map(_again, once)], []))
        self._prologue = compile(module, f"<prologue of {formula.name}>", "exec")
        arguments = ", ".join(("p", "g", *self.kept, *parts.constants))
        lines = _reducing(parts) if self.reduces else list(map(ast.unparse, parts.body))
        outputs = [parts.outputs[name] for name in ("p", *self.kept, *self.makes)]
        lines.append(f"return ({', '.join(outputs)},)")
        source = f"def body({arguments}):\n" + "".join(f"    {line}\n" for line in lines)
        namespace = {**WORDS, **REDUCED}
        exec(compile(source, f"<{formula.name} on tensors>", "exec"), namespace)
        self.body: Callable[..., tuple[torch.Tensor, ...]] = namespace["body"]

    def constants(
        self, t: int, hypers: Mapping[str, float], scalars: Mapping[str, float]
    ) -> tuple[list[float], dict[str, float]]:
        """The body's constants at step `t`, and the new values of the scalar states made here.

        `hypers` are the numbers that the rule asks for; `rows` and `columns` may be among them.
        """
        given = {**hypers, **scalars, "t": t}
        names: dict[str, Any] = {name: np.float64(value) for name, value in given.items()}
        # Both sides of a choice are evaluated, so the side not taken may divide by zero.
        with np.errstate(all="ignore"):
            exec(self._prologue, dict(NUMBERS), names)
        found = [float(names[f"_constant_{name}"]) for name in self._parts.constants]
        return found, {name: float(names[f"_next_{name}"]) for name in self._parts.next_scalars}


def _reducing(parts: Hoisted) -> list[str]:
    """The lines of a body in which elements read coarser numbers in their own dtype."""
    lines, narrow = [], dict[str, str]()
    for statement in parts.body:
        value = statement.value
        if parts.scopes[target(statement)] == ELEMENT:
            coarse = {n for n in names(value) if parts.scopes.get(n, ONCE) != ELEMENT}
            for name in sorted(coarse - narrow.keys()):
                narrow[name] = f"_narrow_{name}"
                lines.append(f"{narrow[name]} = {name}.to(p.dtype)")
            value = renamed(value, narrow)
        lines.append(f"{target(statement)} = {ast.unparse(value)}")
    return lines


def widest(device: torch.device) -> torch.dtype:
    """The dtype of sums, and of what is computed of them: float64 where a device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


def _total(x: torch.Tensor, over: str) -> torch.Tensor:
    dtype = widest(x.device)
    if over == ROW:
        return x.sum(tuple(range(1, x.ndim)), keepdim=True, dtype=dtype)
    return x.sum(0, keepdim=True, dtype=dtype) if over == COLUMN else x.sum(dtype=dtype)


def _norm(x: torch.Tensor, over: str) -> torch.Tensor:
    dims = {ROW: tuple(range(1, x.ndim)), COLUMN: 0}.get(over)
    kept, dtype = over in (ROW, COLUMN), widest(x.device)
    found: torch.Tensor = torch.linalg.vector_norm(x, 2, dims, kept, dtype=dtype)
    return found


def _count(x: torch.Tensor, over: str) -> int:
    return {ROW: math.prod(x.shape[1:]), COLUMN: x.shape[0] if x.ndim else 1}.get(over, x.numel())


REDUCED: dict[str, Callable[[torch.Tensor, str], torch.Tensor]] = {
    "total": _total,
    "norm": _norm,
    "mean": lambda x, over: _total(x, over) / _count(x, over),
    "rms": lambda x, over: _norm(x, over) / math.sqrt(_count(x, over)),
}


def _assigned(prefix: str, values: Mapping[str, ast.expr]) -> list[ast.stmt]:
    return [
        ast.Assign([ast.Name(prefix + name, ast.Store())], value) for name, value in values.items()
    ]


def _again(statement: ast.stmt) -> ast.stmt:
    """A copy with line numbers, which the formula's own syntax trees lack in part."""
    return ast.parse(ast.unparse(ast.fix_missing_locations(statement))).body[0]


def guarded(body: Callable[..., Any], kept: int) -> Callable[..., Any]:
    """`body` with the old values of p and `kept` states where its first argument says so."""

    def run(mask: torch.Tensor, p: torch.Tensor, g: torch.Tensor, *others: torch.Tensor) -> Any:
        made = body(p, g, *others)
        pairs = zip((p, *others[:kept]), made[: kept + 1], strict=True)
        return (*(torch.where(mask, old, new) for old, new in pairs), *made[kept + 1 :])

    return run


def compiled(body: Callable[..., Any]) -> Callable[..., Any]:
    """`body` under torch.compile; line by line once that has failed, and for tensors on the CPU."""
    fused: list[Any] = []

    def run(p: torch.Tensor, *others: torch.Tensor) -> Any:
        if p.device.type in ("cpu", "meta") or fused == [None]:
            return body(p, *others)
        try:
            if not fused:
                fused.append(torch.compile(body, dynamic=True))
            return fused[0](p, *others)
        except Exception:
            # No compiler for this device; what is wrong with the formula itself shows again.
            fused[:] = [None]
            return body(p, *others)

    return run

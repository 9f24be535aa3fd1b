"""A formula as functions of tensors: the kernel's own text, with the words bound to torch.

What depends on hyper-parameters and t alone is computed in float64 on the CPU, as in the kernel;
the body runs on whole tensors of any device, and `torch.compile` fuses it where it can.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from adamas import words
from adamas.kernel.calls import DRAWN
from adamas.kernel.formula import Formula
from adamas.kernel.hoist import hoist
from adamas.kernel.scopes import REDUCTIONS

ELEMENTWISE = [name for name in words.__all__ if name not in (*REDUCTIONS, *DRAWN)]
WORDS: dict[str, Any] = {name: getattr(torch, name) for name in ELEMENTWISE}
NUMBERS: dict[str, Any] = {name: getattr(words, name) for name in words.__all__}


class TensorFormula:
    """`constants(...)` once a step and a tensor, `body(p, g, *states, *constants)` on tensors."""

    def __init__(self, formula: Formula) -> None:
        if formula.draws:
            raise ValueError(
                f"{formula.name} draws random numbers, which only parameters on the CPU have yet: "
                "step it there."
            )
        self._parts = parts = hoist(formula)
        self.states, self.scalars = formula.states, formula.scalars
        self.asks_first = parts.first is not None
        once = [*parts.prologue, *_assigned("_next_", parts.next_scalars)]
        once += _assigned("_constant_", parts.constants)
        module = ast.fix_missing_locations(ast.Module([*map(_again, once)], []))
        self._prologue = compile(module, f"<prologue of {formula.name}>", "exec")
        arguments = ", ".join(("p", "g", *formula.states, *parts.constants))
        lines = [ast.unparse(statement) for statement in parts.body]
        outputs = [parts.outputs[name] for name in ("p", *formula.states)]
        lines.append(f"return ({', '.join(outputs)},)")
        source = f"def body({arguments}):\n" + "".join(f"    {line}\n" for line in lines)
        namespace = dict(WORDS)
        exec(compile(source, f"<{formula.name} on tensors>", "exec"), namespace)
        self.body: Callable[..., tuple[torch.Tensor, ...]] = namespace["body"]

    def constants(
        self, t: int, hypers: Mapping[str, float], scalars: Mapping[str, float]
    ) -> tuple[list[float], dict[str, float]]:
        """The body's constants at step `t`, and the new values of the scalar states."""
        given = {**hypers, **scalars, "t": t}
        names: dict[str, Any] = {name: np.float64(value) for name, value in given.items()}
        # Both sides of a choice are evaluated, so the side not taken may divide by zero.
        with np.errstate(all="ignore"):
            exec(self._prologue, dict(NUMBERS), names)
        found = [float(names[f"_constant_{name}"]) for name in self._parts.constants]
        return found, {name: float(names[f"_next_{name}"]) for name in self.scalars}


def _assigned(prefix: str, values: Mapping[str, ast.expr]) -> list[ast.stmt]:
    return [
        ast.Assign([ast.Name(prefix + name, ast.Store())], value) for name, value in values.items()
    ]


def _again(statement: ast.stmt) -> ast.stmt:
    """A copy with line numbers, which the formula's own syntax trees lack in part."""
    return ast.parse(ast.unparse(ast.fix_missing_locations(statement))).body[0]


def guarded(body: Callable[..., Any]) -> Callable[..., Any]:
    """`body` with the old values where its first argument says so."""

    def run(mask: torch.Tensor, p: torch.Tensor, g: torch.Tensor, *others: torch.Tensor) -> Any:
        made = body(p, g, *others)
        old = (p, *others[: len(made) - 1])
        return tuple(torch.where(mask, a, b) for a, b in zip(old, made, strict=True))

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

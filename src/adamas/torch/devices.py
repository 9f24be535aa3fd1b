"""Tensors that the engine's kernels cannot reach are stepped by the same formula in torch.

For every device that torch has. The body is handed to `torch.compile` and runs line by line if that
fails. State is float32 (float64 for float64 parameters) or bfloat16; codes are the kernels' alone.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from adamas.engine.settings import limit
from adamas.engine.state import NonFiniteError
from adamas.kernel.formula import Formula, with_average
from adamas.torch.core import Live
from adamas.torch.formulas import TensorFormula
from adamas.torch.ranks import Ranks
from adamas.torch.shards import plain
from adamas.torch.states import Names, steps_of

STORAGE = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}


class TensorCore:
    """What `Core` is for CPU tensors, for tensors anywhere; the same arguments and methods."""

    behind = False

    def __init__(
        self,
        formula: Formula,
        names: Names,
        live: Sequence[Live],
        numbers: Sequence[Mapping[str, float]],
        options: Mapping[str, Any],
        entries: Mapping[torch.Tensor, Mapping[str, Any]],
        share: bool = True,
    ) -> None:
        ema = options["ema"]
        formula = formula if ema is None else with_average(formula)
        self.formula, self.names, self.live, self.options = formula, names, live, options
        self._text = TensorFormula(formula)
        self._ranks = Ranks([one.parameter for one in live])
        self._hypers = [dict(given) for given in numbers]
        self._extra = {} if ema is None else {"ema": float(ema)}
        self._body = _compiled(self._text.body)
        self.grad_norm, self.skipped = math.nan, 0
        self._states: list[dict[str, Any]] = []
        for one in live:
            self._states.append(self._taken(one.parameter, entries.get(one.parameter, {}), share))

    def _taken(self, p: torch.Tensor, entry: Mapping[str, Any], share: bool) -> dict[str, Any]:
        dtype, steps = self._dtype(p), steps_of(entry)
        if not bool(torch.as_tensor(entry.get("stepped", True)).all()):
            raise ValueError(
                "the saved state has rows that were never stepped, which only the CPU knows to "
                "begin; do one step there with a dense gradient."
            )
        made: dict[str, Any] = {"step": torch.tensor(steps)}
        for name in self.formula.states:
            key = self.names.torch[name]
            if key in entry:
                kept = entry[key].to(device=p.device, dtype=dtype, copy=not share)
            elif steps:
                raise ValueError(f"the saved state lacks {key!r}; it has {', '.join(entry)}.")
            else:
                kept = torch.full_like(p, self.formula.initial[name], dtype=dtype)
            made[key] = kept
        for name in self.formula.scalars:
            value = float(entry.get(name, self.formula.initial[name]))
            made[name] = torch.tensor(value, dtype=torch.float64)
        return made

    def _dtype(self, p: torch.Tensor) -> torch.dtype:
        asked = self.options["state"]
        if asked not in STORAGE:
            raise ValueError(
                f"state={asked!r} is kept on the CPU only; on {p.device.type} choose one of "
                f"{', '.join(STORAGE)}."
            )
        double = p.dtype in (torch.float64, torch.complex128)
        dtype = torch.float64 if double else STORAGE[asked]
        return dtype.to_complex() if p.is_complex() else dtype

    def entry(self, k: int) -> dict[str, Any]:
        """The live state of parameter k."""
        return self._states[k]

    def saved(self, k: int) -> dict[str, Any]:
        """The same: here it has the parameter's shape."""
        return self._states[k]

    def decoded(self, k: int) -> dict[str, Any]:
        """The same, copied."""
        return {key: value.clone() for key, value in self._states[k].items()}

    def inherit(self, old: Any) -> None:
        """Go on counting where `old` stood."""
        self.skipped, self.grad_norm = old.skipped, old.grad_norm

    def news(self) -> dict[torch.Tensor, torch.Tensor | None]:
        """Rows are all stepped at once here."""
        return {}

    def set(self, group: int, numbers: Mapping[str, float]) -> None:
        """Change hyper-parameters of one group."""
        self._hypers[group] = dict(numbers)

    def sync(self) -> None:
        """Nothing waits here."""

    @torch.no_grad()
    def step(
        self, tensors: list[torch.Tensor | None], clip: float | None, loss_scale: float
    ) -> bool:
        """One step with these gradients, in the order of `live`; False if it was skipped."""
        held = map(plain, tensors, (one.parameter for one in self.live))
        present = [(k, g) for k, g in enumerate(held) if g is not None]
        if odd := [k for k, g in present if g.layout is not torch.strided]:
            raise TypeError(
                f"the gradient of {self.live[odd[0]].key!r} is sparse; rows are stepped on the CPU "
                "only. Use .to_dense()."
            )
        factor = self._factor(present, limit(clip), 1.0 / loss_scale)
        if factor is None:
            return False
        for k, g in present:
            self._update(k, g, -factor if self.options["maximize"] else factor)
            if self.options["zero_grads"]:
                g.zero_()
        return True

    def _factor(
        self, present: list[tuple[int, torch.Tensor]], clip: float, scale: float
    ) -> float | None:
        """What gradients are multiplied by; None to skip the step. Raises NonFiniteError."""
        check = self.options["on_nonfinite"] != "allow"
        real = [(k, g) for k, g in present if g.device.type != "meta"]
        if not real or not (check or clip < math.inf):
            return scale
        self.grad_norm = norm = self._norm(real) * scale
        if check and not math.isfinite(norm):
            odd = [(k, "NaN or infinity") for k, g in real if not bool(torch.isfinite(g).all())]
            bad = self._ranks.agree(next(iter(odd), None))
            if bad and self.options["on_nonfinite"] == "skip":
                self.skipped += 1
                return None
            if bad:
                key = self.live[bad[0]].key
                raise NonFiniteError(key, f"the gradient of {key!r} holds {bad[1]}")
        return scale * clip / norm if norm > clip else scale

    def _norm(self, gradients: list[tuple[int, torch.Tensor]]) -> float:
        norms = np.zeros(len(self.live))
        for k, g in gradients:
            norms[k] = float(torch.linalg.vector_norm(g))
        largest = self._ranks.largest(float(norms.max()))
        if not 0 < largest < math.inf:
            return largest
        return math.sqrt(self._ranks.total(np.square(norms / largest))) * largest

    def _update(self, k: int, g: torch.Tensor, factor: float) -> None:
        one, state = self.live[k], self._states[k]
        hypers = {**self._hypers[one.group], **self._extra}
        scalars = {name: float(state[name]) for name in self.formula.scalars}
        t = int(state["step"]) + 1
        constants, following = self._text.constants(t, hypers, scalars)
        keys = [self.names.torch[name] for name in self.formula.states]
        whole = [plain(tensor) for tensor in (one.parameter, *(state[key] for key in keys))]
        wide = [_wide(tensor) for tensor in (whole[0], g, *whole[1:])]
        dtype, device = wide[0].dtype, wide[0].device
        numbers = torch.tensor(constants, dtype=torch.float64).to(dtype).to(device).unbind()
        wide[1] = wide[1].to(dtype) * factor
        for target, new in zip(whole, self._body(*wide, *numbers), strict=True):
            _real(target).copy_(new)
        state["step"] += 1
        for name, value in following.items():
            state[name].fill_(value)


def _real(tensor: torch.Tensor) -> torch.Tensor:
    tensor = tensor.detach().resolve_conj()
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    """Real numbers of at least 32 bits."""
    real = _real(tensor)
    return real if real.dtype == torch.float64 else real.to(torch.float32)


def _compiled(body: Callable[..., Any]) -> Callable[..., Any]:
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

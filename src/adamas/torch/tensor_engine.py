"""Tensors that the engine's kernels cannot reach are stepped by the same formula in torch.

For every device that torch has: gradients are multiplied and looked at here, and `tensor_states`
steps them, one tensor after another.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from adamas.engine.agree import together
from adamas.engine.finite import left_out, unchanged
from adamas.engine.observed import Record, record
from adamas.engine.peers import Bad
from adamas.engine.settings import divisor, limit
from adamas.engine.threads import Action
from adamas.kernel.formula import Formula
from adamas.kernel.observing import with_observation
from adamas.kernel.runtime.job import CALM, SURE
from adamas.kernel.variants import with_average
from adamas.torch.cuts import check_elsewhere
from adamas.torch.engines import Live
from adamas.torch.joint_states import JointStates
from adamas.torch.products import parts_of
from adamas.torch.ranks import Ranks
from adamas.torch.reading import clear, fetched, holds, multiplied, norm, real, wrong
from adamas.torch.shards import plain
from adamas.torch.states import Names, steps_done, steps_of
from adamas.torch.tensor_states import TensorStates


class TensorEngine:
    """The same for tensors on any device; it is made of what `KernelEngine` is made of."""

    behind = False
    published: Action = dict

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
        formula = with_observation(formula) if options["observe"] else formula
        self.live, self.options = live, options
        for one in live:
            if parts_of(options["split"], one.key, one.parameter.shape) > 1:
                raise ValueError(
                    f"{one.key!r} is on {one.parameter.device}, and split= is for parameters on "
                    "the CPU; make layers of its parts."
                )
        for one in live:
            check_elsewhere(one.parameter, one.key, formula)
        self.own = TensorStates(formula, names, live, options, entries, share)
        self._states: TensorStates | JointStates = self.own
        self._ranks = Ranks([one.parameter for one in live])
        self._hypers = [dict(given) for given in numbers]
        self._extra = {} if ema is None else {"ema": float(ema)}
        self.grad_norm, self.skipped = math.nan, 0

    @property
    def rounds(self) -> bool:
        """Whether anything is rounded at random."""
        return any(map(self._states.rounded, range(len(self.live))))

    @property
    def steps(self) -> int:
        """The largest of the parameters' step counts."""
        return max(map(steps_done, self._states.of))

    def entry(self, k: int) -> dict[str, Any]:
        """The live state of parameter k."""
        return self._states.of[k]

    def saved(self, k: int) -> dict[str, Any]:
        """The same: here it has the parameter's shape."""
        return self._states.of[k]

    def decoded(self, k: int) -> dict[str, Any]:
        """The same, copied."""
        return {key: value.clone() for key, value in self._states.of[k].items()}

    def inherit(self, old: Any) -> None:
        """Go on counting where `old` stood, if that stepped tensors like this one."""
        if not isinstance(old, TensorEngine):
            return
        self.skipped, self.grad_norm = old.skipped, old.grad_norm
        there = {id(one.parameter): k for k, one in enumerate(old.live)}
        for k, one in enumerate(self.live):
            if id(one.parameter) in there:
                self._states.noted[k].update(old._states.noted[there[id(one.parameter)]])

    def news(self) -> dict[torch.Tensor, torch.Tensor | None]:
        """Rows are all stepped at once here."""
        return {}

    def record(self, k: int, rule: str) -> Record:
        """What is known of the last step of parameter k, by the rule of this name."""
        one, steps = self.live[k], steps_of(self._states.of[k])
        lr = self._hypers[one.group].get("lr", math.nan)
        known = one.key, one.parameter.shape, rule, steps, lr
        return record(*known, self._states.noted[k], {})

    def set(self, group: int, numbers: Mapping[str, float]) -> None:
        """Change hyper-parameters of one group."""
        self._hypers[group] = dict(numbers)

    def sync(self) -> None:
        """Nothing waits here."""

    @torch.no_grad()
    def step(
        self, tensors: list[torch.Tensor | None], clip: float | None, loss_scale: float
    ) -> bool:
        """One step with these gradients, in the order of `live`; False if it was skipped.

        Raises `NonFiniteError`, with the step done unless its `left` is 0.
        """
        held = map(plain, tensors, (one.parameter for one in self.live))
        present = [(k, g) for k, g in enumerate(held) if g is not None]
        if odd := [k for k, g in present if g.layout is not torch.strided]:
            raise TypeError(
                f"the gradient of {self.live[odd[0]].key!r} is sparse; rows are stepped on the CPU "
                "only. Use .to_dense()."
            )
        limited = limit(clip)
        scale = 1.0 / divisor(loss_scale)
        first = self._reads_first(present, limited)
        factor = self._factor(present, limited, scale, first)
        if factor is None:
            return False
        factor = -factor if self.options["maximize"] else factor
        mode = self.options["on_nonfinite"]
        looks = mode == "guard" and not first
        # What was read first is finite; what is made of it may not be.
        large = mode != "allow" and first and not min(self.grad_norm, limited) <= CALM["float32"]
        left: dict[int, torch.Tensor] = {}
        following: dict[int, dict[str, float]] = {}
        for k, g in present:
            p = plain(self.live[k].parameter)
            scaled = multiplied(g, factor, p)
            mask = wrong(scaled, p) if looks and g.device.type != "meta" else None
            sums = self._states.sums(k)
            if first and mode != "allow" and (large or sums) and g.device.type != "meta":
                mask = torch.zeros_like(scaled, dtype=torch.bool)
            if mask is not None and sums:
                # Its sums would not be finite either.
                mask = mask.any()
            hypers = {**self._hypers[self.live[k].group], **self._extra}
            following[k], mask = self._states.update(k, scaled, mask, hypers)
            if self.options["zero_grads"]:
                clear(g, mask if mask is None else mask.expand_as(scaled))
            if mask is None:
                self._states.count(k, following[k])
            else:
                left[k] = mask.expand_as(scaled).sum()
        if left:
            self._settle(dict(present), left, following, abs(factor))
        return True

    def _reads_first(self, present: list[tuple[int, torch.Tensor]], clip: float) -> bool:
        """Whether all gradients are read before anything is changed."""
        mode = self.options["on_nonfinite"]
        if clip < math.inf or mode in ("raise", "skip"):
            return True
        if mode == "allow" or not self._states.asks_first:
            return False
        beginning = any(not int(self._states.of[k]["step"]) for k, _ in present)
        # What is read first is summed up with all ranks, so that all must know.
        return self._ranks.largest(float(beginning)) > 0

    def _settle(
        self,
        gradients: Mapping[int, torch.Tensor],
        left: Mapping[int, torch.Tensor],
        following: Mapping[int, Mapping[str, float]],
        factor: float,
    ) -> None:
        """Count the steps of tensors of which something moved, on any rank; tell what did not."""
        places = list(left)
        active = np.zeros(len(self.live), bool)
        out, moved = np.zeros((2, len(self.live)), np.int64)
        active[places], out[places] = True, fetched(list(left.values()))
        moved[places] = [real(gradients[k]).numel() - out[k] for k in places]
        total, tensors, steps = together(active, moved, out, self._ranks)
        for k in filter(steps.__getitem__, places):
            self._states.count(k, following[k])
        if total:
            odd = next((k for k in places if out[k]), None)
            bad = self._agreed(odd, gradients, factor)
            assert bad
            others = bool(self._ranks.largest(float(moved.any())))
            key, whole = self.live[bad[0]].key, self._states.sums(bad[0])
            raise left_out(key, bad[1], total, tensors, others, block=1, whole=whole)

    def _factor(
        self, present: list[tuple[int, torch.Tensor]], clip: float, scale: float, first: bool
    ) -> float | None:
        """What gradients are multiplied by; None to skip the step.

        Raises NonFiniteError if they are read first and are not to be let through.
        """
        self.grad_norm, mode = math.nan, self.options["on_nonfinite"]
        known = {k: g for k, g in present if g.device.type != "meta"}
        if not known or not (first or self.options["track_norm"]):
            return scale
        self.grad_norm = found = norm(known, len(self.live), self._ranks) * scale
        if not first:
            return scale
        factor = scale * (clip / found) if found > clip else scale
        if mode != "allow" and not (found < math.inf and min(found, clip) <= SURE >= abs(factor)):
            # Zero times what is not finite is not; what is finite may overflow with its factor.
            bad = None if found < math.inf else self._bad(known, 0.0)
            bad = bad or self._bad(known, factor)
            if bad and mode == "skip":
                self.skipped += 1
                return None
            if bad:
                raise unchanged(self.live[bad[0]].key, bad[1])
        return factor

    def _bad(self, gradients: Mapping[int, torch.Tensor], factor: float) -> Bad | None:
        """The first gradient, of all ranks, that times `factor` is not finite."""
        places = [(k, g, plain(self.live[k].parameter)) for k, g in gradients.items()]
        counts = fetched([wrong(multiplied(g, factor, p), p).sum() for _, g, p in places])
        odd = next((k for (k, _, _), n in zip(places, counts, strict=True) if n), None)
        return self._agreed(odd, gradients, factor or 1.0)

    def _agreed(
        self, odd: int | None, gradients: Mapping[int, torch.Tensor], factor: float
    ) -> Bad | None:
        """The first of all ranks' bad gradients; `odd` is the place of this rank's."""
        if odd is None:
            return self._ranks.agree(None)
        p = plain(self.live[odd].parameter)
        return self._ranks.agree((odd, holds(gradients[odd], factor, p)))


class JointTensorEngine(TensorEngine):
    """Engines of several rules as one; `places[n][i]` is the place of parameter i of `parts[n]`."""

    def __init__(
        self,
        parts: Sequence[TensorEngine],
        places: Sequence[Sequence[int]],
        live: Sequence[Live],
        numbers: Sequence[Mapping[str, float]],
    ) -> None:
        first = parts[0]
        self.live, self.options, self._extra = live, first.options, first._extra
        self._states = JointStates([part.own for part in parts], places)
        self._ranks = Ranks([one.parameter for one in live])
        self._hypers = [dict(given) for given in numbers]
        self.grad_norm, self.skipped = math.nan, 0

"""Tensors that the engine's kernels cannot reach are stepped by the same formula in torch.

For every device that torch has. The body is handed to `torch.compile` and runs line by line if that
fails. State is float32 (float64 for float64 parameters) or bfloat16, rounded by the kernels' random
numbers; codes are the kernels' alone.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from adamas.codecs import Codec
from adamas.engine.agree import together
from adamas.engine.finite import left_out, unchanged
from adamas.engine.grid import Order
from adamas.engine.peers import Bad
from adamas.engine.settings import divisor, limit, seeded
from adamas.engine.storage import Storage
from adamas.engine.tensors import Tensor, memory_order
from adamas.engine.threads import Action
from adamas.kernel.formula import Formula
from adamas.kernel.layout import REST, Column
from adamas.kernel.runtime.job import SURE
from adamas.kernel.variants import with_average
from adamas.torch import random
from adamas.torch.engines import Live
from adamas.torch.formulas import TensorFormula, compiled, guarded
from adamas.torch.ranks import Ranks
from adamas.torch.reading import clear, fetched, holds, multiplied, norm, real, wide, wrong
from adamas.torch.shards import dressed, first_block, plain, sharded, undressed
from adamas.torch.states import COUNTERS, ROUNDING, Names, counted, scalars_of, steps_of

STORAGE = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}
REST_DTYPES = {"int16": torch.int16, "int8": torch.int8}


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
        self.formula, self.names, self.live, self.options = formula, names, live, options
        self._text = TensorFormula(formula)
        self._ranks = Ranks([one.parameter for one in live])
        self._hypers = [dict(given) for given in numbers]
        self._extra = {} if ema is None else {"ema": float(ema)}
        self._body = compiled(self._text.body)
        self._guarded = compiled(guarded(self._text.body))
        self.grad_norm, self.skipped = math.nan, 0
        self._states: list[dict[str, Any]] = []
        self._codecs = list(map(self._formats, live))
        self._seed = seeded(options["seed"])
        for k, one in enumerate(live):
            self._states.append(self._taken(k, entries.get(one.parameter, {}), share))

    def _taken(self, k: int, entry: Mapping[str, Any], share: bool) -> dict[str, Any]:
        p, codecs, steps = self.live[k].parameter, self._codecs[k], steps_of(entry)
        names, scalars = self.names.torch, self.formula.scalars
        if not bool(torch.as_tensor(entry.get("stepped", True)).all()):
            raise ValueError(
                "the saved state has rows that were never stepped, which only the CPU knows to "
                "begin; do one step there with a dense gradient."
            )
        made: dict[str, Any] = {"step": torch.tensor(steps)}
        for name in self.formula.states:
            key, dtype = names[name], _dtype(codecs[name], p)
            if key in entry:
                kept = _placed(entry[key], p, key).to(p.device, dtype, copy=not share)
            elif steps and name != "average":
                raise ValueError(f"the saved state lacks {key!r}; it has {_listed(entry)}.")
            elif steps:
                kept = p.detach().to(dtype, copy=True)
            else:
                kept = torch.full_like(p, self.formula.initial[name], dtype=dtype)
            made[key] = kept
        found = {**self.formula.initial, **scalars_of(entry, scalars)}
        made |= {name: torch.tensor(found[name], dtype=torch.float64) for name in scalars}
        if codecs["p"].beside:
            rest, dtype = entry.get("p" + REST), REST_DTYPES[codecs["p"].beside]
            fresh = rest is None or rest.dtype != dtype
            kept = torch.zeros_like(p, dtype=dtype) if fresh else _placed(rest, p, "p" + REST)
            made["p" + REST] = kept.to(p.device, copy=not share)
        if self._rounded(k):
            own = counted("a saved rounding", entry.get(ROUNDING, self.live[k].rounding))
            made[ROUNDING] = torch.tensor(own)
        if extra := {key for key, v in entry.items() if v is not None} - made.keys() - COUNTERS:
            raise ValueError(
                f"the saved state has {sorted(map(str, extra))}, which this optimizer does not "
                f"keep on {p.device.type}; of codes, save torch_state_dict()."
            )
        return made

    def _formats(self, one: Live) -> dict[str, Codec]:
        """The format of a parameter and of each of its states; raises ValueError for codes."""
        p, local, asked = one.parameter, plain(one.parameter), self.options["state"]
        form = {8: "float64", 2: "bfloat16"}.get(p.dtype.to_real().itemsize, "float32")
        seen = np.broadcast_to(np.zeros((), np.float32), tuple(local.shape))
        storage = Storage(self.formula, asked, self.options["master"])
        tensor = Tensor(one.key, seen, seen, None, False, one.group, form)
        formats = storage.formats(tensor)
        for name in (asked if isinstance(asked, str) else "float32", *formats.values()):
            if name not in STORAGE:
                raise ValueError(
                    f"state={name!r} of {one.key!r} is kept on the CPU only; on {p.device.type} "
                    f"choose one of {', '.join(STORAGE)}."
                )
        codecs = storage.codecs(tensor, formats)
        if p.is_complex() and any(codec.encode for codec in codecs.values()):
            raise ValueError(
                f"{one.key} is complex, and state in few bits is for real numbers; choose "
                "state='float32' for it."
            )
        return codecs

    def _rounded(self, k: int) -> list[str]:
        """What of parameter k is rounded, in the order in which kernels number it."""
        codecs = self._codecs[k]
        return [name for name in ("p", *self.formula.states) if codecs[name].encode]

    @property
    def rounds(self) -> bool:
        """Whether anything is rounded at random."""
        return any(map(self._rounded, range(len(self.live))))

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
        looks = self.options["on_nonfinite"] == "guard" and not first
        left: dict[int, torch.Tensor] = {}
        following: dict[int, dict[str, float]] = {}
        for k, g in present:
            p = plain(self.live[k].parameter)
            scaled = multiplied(g, factor, p)
            mask = wrong(scaled, p) if looks and g.device.type != "meta" else None
            following[k] = self._update(k, scaled, mask)
            if self.options["zero_grads"]:
                clear(g, mask)
            if mask is None:
                self._count(k, following[k])
            else:
                left[k] = mask.sum()
        if left:
            self._settle(dict(present), left, following, abs(factor))
        return True

    def _reads_first(self, present: list[tuple[int, torch.Tensor]], clip: float) -> bool:
        """Whether all gradients are read before anything is changed."""
        mode = self.options["on_nonfinite"]
        if clip < math.inf or mode in ("raise", "skip"):
            return True
        if mode == "allow" or not self._text.asks_first:
            return False
        beginning = any(not int(self._states[k]["step"]) for k, _ in present)
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
            self._count(k, following[k])
        if total:
            odd = next((k for k in places if out[k]), None)
            bad = self._agreed(odd, gradients, factor)
            assert bad
            others = bool(self._ranks.largest(float(moved.any())))
            raise left_out(self.live[bad[0]].key, bad[1], total, tensors, others, block=1)

    def _count(self, k: int, following: Mapping[str, float]) -> None:
        state = self._states[k]
        state["step"] += 1
        for name, value in following.items():
            state[name].fill_(value)

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

    def _update(self, k: int, scaled: torch.Tensor, mask: torch.Tensor | None) -> dict[str, float]:
        """Step one parameter but for what is in `mask`; the scalar states that follow from it."""
        one, state = self.live[k], self._states[k]
        hypers = {**self._hypers[one.group], **self._extra}
        scalars = {name: float(state[name]) for name in self.formula.scalars}
        t = int(state["step"]) + 1
        constants, following = self._text.constants(t, hypers, scalars)
        keys = {name: self.names.torch[name] for name in self.formula.states}
        whole = {"p": plain(one.parameter), **{n: plain(state[key]) for n, key in keys.items()}}
        rest = plain(state.get("p" + REST))
        old = {name: wide(tensor) for name, tensor in whole.items()}
        if rest is not None:
            old["p"] = random.decoded(self._codecs[k]["p"], whole["p"].detach(), rest)
        p, *moments = old.values()
        numbers = torch.tensor(constants, dtype=torch.float64).to(p.dtype).to(p.device).unbind()
        if mask is None:
            made = self._body(p, scaled, *moments, *numbers)
        else:
            made = self._guarded(mask, p, scaled, *moments, *numbers)
        self._write(k, t, dict(zip(whole, made, strict=True)), whole, rest, mask)
        return following

    def _write(
        self,
        k: int,
        t: int,
        made: Mapping[str, torch.Tensor],
        whole: Mapping[str, torch.Tensor],
        rest: torch.Tensor | None,
        mask: torch.Tensor | None,
    ) -> None:
        """Keep new values in their formats; `rest` takes what a parameter's lacks.

        What is in `mask` has old values, which keep the codes that they were decoded from.
        """
        rounded = self._rounded(k)
        if rounded:
            key = random.step_key(self._seed, int(self._states[k][ROUNDING]), t)
            order, first = memory_order_of(whole["p"]), first_block(self.live[k].parameter)
        for name, target in whole.items():
            if name not in rounded:
                real(target).copy_(made[name])
                continue
            purpose = rounded.index(name)
            words = random.words(key, purpose, order.grid, first, target.device)
            turned = words.reshape(order.dense_shape).permute(*np.argsort(order.axes).tolist())
            codes, left = random.encoded(self._codecs[k][name], made[name], turned)
            _replace(target, codes, mask)
            if left is not None and rest is not None:
                _replace(rest, left, mask)


def memory_order_of(tensor: torch.Tensor) -> Order:
    """How the elements of a tensor lie; the usual order where there are gaps between them."""
    strides = tensor.stride()
    # Seen by NumPy as bytes that are never read.
    seen = np.lib.stride_tricks.as_strided(np.zeros(1, np.int8), tuple(tensor.shape), strides)
    return Order(tuple(tensor.shape), memory_order(seen) or tuple(range(tensor.ndim)))


def _dtype(codec: Codec, p: torch.Tensor) -> torch.dtype:
    dtype = STORAGE["bfloat16" if codec.encode else codec.name]
    return dtype.to_complex() if p.is_complex() else dtype


def _placed(value: Any, p: torch.Tensor, key: str) -> torch.Tensor:
    """A saved state that has the form of `p`; raises TypeError or ValueError if it has not."""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"the saved {key!r} is {type(value).__name__}, not a tensor.")
    local = undressed({key: value}, p)[key]
    mine, lost = plain(p), value.device.type == "meta" != p.device.type
    strided = local.layout is torch.strided and not local.is_quantized and not lost
    if local.shape != mine.shape or local.is_complex() != p.is_complex() or not strided:
        raise ValueError(
            f"the saved {key!r} has shape {tuple(local.shape)}, {local.dtype}, on {local.device}; "
            f"the parameter {tuple(mine.shape)}, {mine.dtype}, on {mine.device}."
        )
    return value if sharded(value) else dressed(local, p, Column("", "float32", 32))


def _listed(entry: Mapping[str, Any]) -> str:
    return ", ".join(map(str, entry))


def _replace(target: torch.Tensor, codes: torch.Tensor, mask: torch.Tensor | None) -> None:
    target = target.detach()
    target.copy_(codes if mask is None else torch.where(mask, target, codes))

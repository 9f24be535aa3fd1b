"""The states of tensors on any device, in their formats, and how one step changes them.

State is float32 (float64 for float64 parameters) or bfloat16, rounded by the kernels' random
numbers; codes are the kernels' alone. The formula's body is handed to `torch.compile` and runs line
by line if that fails.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from adamas.codecs import Codec
from adamas.engine.grid import Order
from adamas.engine.settings import seeded
from adamas.engine.storage import Storage
from adamas.engine.tensors import Tensor, memory_order
from adamas.kernel.formula import Formula
from adamas.kernel.layout import REST, Column
from adamas.kernel.observing import NOTED
from adamas.kernel.variants import of_vectors
from adamas.torch import random
from adamas.torch.engines import Live
from adamas.torch.formulas import TensorFormula, compiled, guarded, widest
from adamas.torch.reading import real, wide
from adamas.torch.shards import dressed, first_block, plain, sharded, undressed
from adamas.torch.states import (
    BEFORE,
    COUNTERS,
    ROUNDING,
    Names,
    before,
    counted,
    scalars_of,
    steps_of,
)  # fmt: skip

STORAGE = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}
REST_DTYPES = {"int16": torch.int16, "int8": torch.int8}


class TensorStates:
    """The states of the parameters `live`, each a dict by torch's names, in `of`.

    `options` are `state`, `master` and `seed`. Raises ValueError or TypeError for saved `entries`
    that do not fit, and for formats that are kept on the CPU only. `share` goes on in the memory of
    the entries.
    """

    def __init__(
        self,
        formula: Formula,
        names: Names,
        live: Sequence[Live],
        options: Mapping[str, Any],
        entries: Mapping[torch.Tensor, Mapping[str, Any]],
        share: bool,
    ) -> None:
        self.formula, self.names, self.live, self.options = formula, names, live, options
        vectors = of_vectors(formula)
        self._formulas = [formula if real(one.parameter).ndim > 1 else vectors for one in live]
        self._texts = {one: _Text(one) for one in dict.fromkeys((formula, vectors))}
        self.asks_first = self._texts[formula].text.asks_first
        self._seed = seeded(options["seed"])
        self._codecs = list(map(self._formats, range(len(live))))
        # What was noted of each parameter's last step, see `observing.NOTED`.
        self.noted: list[dict[str, float]] = [{} for _ in live]
        self.of: list[dict[str, Any]] = []
        for k, one in enumerate(live):
            self.of.append(self._taken(k, entries.get(one.parameter, {}), share))

    def _taken(self, k: int, entry: Mapping[str, Any], share: bool) -> dict[str, Any]:
        p, codecs, steps = self.live[k].parameter, self._codecs[k], steps_of(entry)
        formula, names = self._formulas[k], self.names.torch
        if not bool(torch.as_tensor(entry.get("stepped", True)).all()):
            raise ValueError(
                "the saved state has rows that were never stepped, which only the CPU knows to "
                "begin; do one step there with a dense gradient."
            )
        made: dict[str, Any] = {"step": torch.tensor(steps)}
        if past := before(entry):
            made[BEFORE] = torch.tensor(past)
        for name in formula.states:
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
        made |= {name: self._fewer(k, name, entry, share) for name in self._rest(k)}
        if lost := [name for name in formula.numbers if steps and name not in entry]:
            raise ValueError(f"the saved state lacks {lost[0]!r}; it has {_listed(entry)}.")
        found = {**formula.initial, **scalars_of(entry, formula.numbers)}
        made |= {name: torch.tensor(found[name], dtype=torch.float64) for name in formula.numbers}
        if codecs["p"].beside:
            rest, dtype = entry.get("p" + REST), REST_DTYPES[codecs["p"].beside]
            fresh = rest is None or rest.dtype != dtype
            kept = torch.zeros_like(p, dtype=dtype) if fresh else _placed(rest, p, "p" + REST)
            made["p" + REST] = kept.to(p.device, copy=not share)
        if self.rounded(k):
            own = counted("a saved rounding", entry.get(ROUNDING, self.live[k].rounding))
            made[ROUNDING] = torch.tensor(own)
        if extra := {key for key, v in entry.items() if v is not None} - made.keys() - COUNTERS:
            raise ValueError(
                f"the saved state has {sorted(map(str, extra))}, which this optimizer does not "
                f"keep on {p.device.type}; of codes, save torch_state_dict()."
            )
        return made

    def sums(self, k: int) -> bool:
        """Whether the rule sums over parameter k, which stays whole where a gradient is lost."""
        return bool(self.formula.over)

    def _rest(self, k: int) -> tuple[str, ...]:
        """The states of parameter k that its rows and its columns have one number of."""
        return (*self._formulas[k].rows, *self._formulas[k].columns)

    def _fewer(self, k: int, name: str, entry: Mapping[str, Any], share: bool) -> torch.Tensor:
        """The state of rows or of columns: what is saved of it, or its first values."""
        p, value = self.live[k].parameter, entry.get(name)
        shape = p.shape[:1] if name in self._formulas[k].rows else p.shape[1:]
        wide = any(codec.bits == 64 for codec in self._codecs[k].values())
        dtype = torch.float64 if wide else torch.float32
        if value is None:
            if steps_of(entry):
                raise ValueError(f"the saved state lacks {name!r}; it has {_listed(entry)}.")
            return torch.full(shape, self.formula.initial[name], dtype=dtype, device=p.device)
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"the saved {name!r} is {type(value).__name__}, not a tensor.")
        if value.shape != shape or not value.is_floating_point():
            raise ValueError(
                f"the saved {name!r} has shape {tuple(value.shape)} and {value.dtype}; of this "
                f"parameter it is {dtype} of shape {tuple(shape)}."
            )
        return value.detach().to(p.device, dtype, copy=not share)

    def _formats(self, k: int) -> dict[str, Codec]:
        """The format of a parameter and of each of its states; raises ValueError for codes."""
        one = self.live[k]
        p, local, asked = one.parameter, plain(one.parameter), self.options["state"]
        form = {8: "float64", 2: "bfloat16"}.get(p.dtype.to_real().itemsize, "float32")
        seen = np.broadcast_to(np.zeros((), np.float32), tuple(local.shape))
        storage = Storage(self._formulas[k], asked, self.options["master"])
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

    def rounded(self, k: int) -> list[str]:
        """What of parameter k is rounded, in the order in which kernels number it."""
        codecs = self._codecs[k]
        return [name for name in ("p", *self._formulas[k].states) if codecs[name].encode]

    def count(self, k: int, following: Mapping[str, float]) -> None:
        """Let parameter k have done one step more, and take its scalar states over."""
        state = self.of[k]
        state["step"] += 1
        noted = self._formulas[k].noted
        for name, value in following.items():
            if name not in noted:
                state[name].fill_(value)
        self.noted[k].update(zip(NOTED, (following[name] for name in noted), strict=False))

    def update(
        self,
        k: int,
        scaled: torch.Tensor,
        mask: torch.Tensor | None,
        hypers: Mapping[str, float],
    ) -> tuple[dict[str, float], torch.Tensor | None]:
        """Step one parameter but for what is in `mask`; the scalar states that follow from it.

        And the mask, with what the rule itself would have made infinite or NaN.
        """
        one, state = self.live[k], self.of[k]
        formula, text = self._formulas[k], self._texts[self._formulas[k]]
        scalars = {name: float(state[name]) for name in formula.numbers}
        scalars |= dict.fromkeys(formula.noted, math.nan)
        t = int(state["step"]) + 1
        constants, following = text.text.constants(t, {**sizes(one.parameter), **hypers}, scalars)
        keys = {name: self.names.torch[name] for name in formula.states}
        whole = {"p": plain(one.parameter), **{n: plain(state[key]) for n, key in keys.items()}}
        rest = plain(state.get("p" + REST))
        old = {name: wide(tensor) for name, tensor in whole.items()}
        if rest is not None:
            old["p"] = random.decoded(self._codecs[k]["p"], whole["p"].detach(), rest)
        p, *moments = old.values()
        dtype = widest(p.device) if text.text.reduces else p.dtype
        fewer = {name: self._spread(k, name) for name in self._rest(k)}
        given = [*moments, *(one.to(dtype) for one in fewer.values())]
        numbers = torch.tensor(constants, dtype=torch.float64).to(dtype).to(p.device).unbind()
        if mask is None:
            made = text.body(p, scaled, *given, *numbers)
        else:
            kinds = [one.dtype for one in (*whole.values(), *fewer.values())]
            limits = [torch.finfo(kind).max for kind in kinds]
            paired = one.parameter.is_complex()
            *made, mask = text.guarded(mask, limits, paired, p, scaled, *given, *numbers)
        self._write(k, t, dict(zip(whole, made, strict=False)), whole, rest, mask)
        others = made[len(whole) :]
        for target, new in zip(fewer.values(), others, strict=False):
            target.copy_(new)
        found = (math.nan if new.is_meta else float(new) for new in others[len(fewer) :])
        return following | dict(zip(text.text.makes, found, strict=True)), mask

    def _spread(self, k: int, name: str) -> torch.Tensor:
        """The state of rows or of columns with all the dimensions of its parameter."""
        kept: torch.Tensor = self.of[k][name]
        ndim = self.live[k].parameter.ndim
        return kept.view(-1, *(1,) * (ndim - 1)) if name in self._formulas[k].rows else kept[None]

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
        rounded = self.rounded(k)
        if rounded:
            key = random.step_key(self._seed, int(self.of[k][ROUNDING]), t)
            rowwise = self.formula.rowwise and whole["p"].ndim > 1
            order, first = memory_order_of(whole["p"], rowwise), first_block(self.live[k].parameter)
        for name, target in whole.items():
            if name not in rounded:
                real(target).copy_(made[name])
                continue
            purpose = rounded.index(name)
            words = random.words(key, purpose, order.grid, first, target.device)
            turned = words.reshape(order.dense_shape).permute(np.argsort(order.axes).tolist())
            codes, left = random.encoded(self._codecs[k][name], made[name], turned)
            _replace(target, codes, mask)
            if left is not None and rest is not None:
                _replace(rest, left, mask)


class _Text:
    """A formula on tensors: its body as it is run, and guarded."""

    def __init__(self, formula: Formula) -> None:
        self.text = text = TensorFormula(formula)
        self.body = compiled(text.body)
        self.guarded = compiled(guarded(text.body, len(text.kept)))


def sizes(p: torch.Tensor) -> dict[str, int]:
    """How many rows and columns a parameter has."""
    return {"rows": p.shape[0] if p.ndim else 1, "columns": math.prod(p.shape[1:])}


def memory_order_of(tensor: torch.Tensor, rowwise: bool = False) -> Order:
    """How the elements of a tensor lie; the usual order where there are gaps between them.

    Where blocks begin anew with every row, the usual order for rows that do not lie in one piece.
    """
    strides = tensor.stride()
    # Seen by NumPy as bytes that are never read.
    seen = np.lib.stride_tricks.as_strided(np.zeros(1, np.int8), tuple(tensor.shape), strides)
    axes = memory_order(seen)
    if axes is None or (rowwise and axes[0] != 0):
        axes = tuple(range(tensor.ndim))
    return Order(tuple(tensor.shape), axes, rowwise)


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

"""Optimizers of adamas.torch in a file: tensors go there and back without a copy of the whole.

The file holds what `state_dict()` returns, under the names of named parameters without what
wrappers add, or under the numbers of parameters that have none.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from numpy.typing import NDArray

from adamas.engine.settings import choice
from adamas.files.background import Saving
from adamas.files.checkpoint import Checkpoint, Key
from adamas.files.contents import Contents, compare, write
from adamas.files.foreign import translated
from adamas.files.header import FORMS
from adamas.files.pieces import PIECE, pieces
from adamas.files.reading import Named
from adamas.files.tree import COMPLEX, TENSOR, Leaf, Path, array_leaf
from adamas.torch.called import bare, named
from adamas.torch.driver import Driver
from adamas.torch.saving import ASIDE, NAMING, parts
from adamas.torch.shards import sharded
from adamas.torch.states import steps_done

HOME = "adamas.torch"
DTYPES = {
    "BOOL": torch.bool, "U8": torch.uint8, "I8": torch.int8, "U16": torch.uint16,
    "I16": torch.int16, "F16": torch.float16, "BF16": torch.bfloat16, "U32": torch.uint32,
    "I32": torch.int32, "F32": torch.float32, "U64": torch.uint64, "I64": torch.int64,
    "F64": torch.float64, "C64": torch.complex64, "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}  # fmt: skip
FORM_OF = {dtype: form for form, dtype in DTYPES.items()}
# Integers of the same width, for what NumPy has no dtype for.
BITS = {1: torch.uint8, 2: torch.int16}
# Devices whose memory NumPy reads.
HERE = {"cpu"}
APART = {torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2}


def save(owner: Any, driver: Driver, path: Any, *more: Any) -> Saving:
    """Write the state dict of an optimizer; see `adamas.save`."""
    saved = owner.state_dict()
    ours = (kind for kind in type(owner).__mro__ if kind.__module__.startswith("adamas."))
    keys = keys_of(owner.param_groups)
    steps = (steps_done(e) for e in saved["state"].values() if isinstance(e, dict) and "step" in e)
    found = Contents(
        HOME, next(ours).__name__, _formulas(driver), max(steps, default=0), driver.seed,
        _shapes(owner.param_groups, keys), saved, _leaf, dict(enumerate(keys)),
    )  # fmt: skip
    return write(path, found, *more)


def read(
    owner: Any, driver: Driver, path: str | os.PathLike[str], strict: bool
) -> tuple[Checkpoint, dict[str, Any]]:
    """The file at `path`, and the state dict that `owner` shall load from it.

    Raises OSError, and ValueError with the path for a file that does not fit.
    """
    choice("strict", strict, (True, False))
    file = Checkpoint(path, tensor, through=True)
    with Named(file.path):
        keys = keys_of(owner.param_groups)
        compare(file, _shapes(owner.param_groups, keys), _formulas(driver), strict)
    with Named(file.path, brief=True):
        if file.home != HOME:
            return file, translated(file.state(plain=True), file, owner)
        saved = file.state()
        whole = not (file.missing or file.unknown or file.misshapen)
        return file, saved if whole else _fitting(file, saved, owner.state_dict())


def keys_of(groups: Sequence[Mapping[str, Any]]) -> list[Key]:
    """What the parameters are called in a file: by names that are all different, or by numbers.

    The groups may be those of a state dict, whose parameters are numbers.
    """
    names = [None if name is None else bare(name) for _, name in named(groups)]
    known = [name for name in names if name is not None]
    return list(known) if len(set(known)) == len(names) else list(range(len(names)))


def _shapes(groups: Sequence[Mapping[str, Any]], keys: Sequence[Key]) -> dict[Key, tuple[int, ...]]:
    every = [p for group in groups for p in group["params"]]
    return {key: tuple(p.shape) for key, p in zip(keys, every, strict=True)}


def _formulas(driver: Driver) -> list[Any]:
    return [plan.formula for plan in driver.plans.of(driver.owner.param_groups).rules]


def _fitting(file: Checkpoint, saved: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The own state dict with what the file has of the parameters that fit."""
    others, entries = parts(saved)
    there = {key: number for group in _called(others) for key, number in group.items()}
    fits = there.keys() - {*file.missing, *file.misshapen}
    state, groups = dict(own["state"]), []
    for group, called in zip(own["param_groups"], _called(own["param_groups"]), strict=True):
        shared = called.keys() & fits
        pairs = zip(others, _called(others), strict=True)
        old: Mapping[str, Any] = next((one for one, keys in pairs if shared & keys.keys()), {})
        aside = sorted({*group.get(ASIDE, ()), *old.get(ASIDE, ())})
        settings = {key: value for key, value in old.items() if key not in (*NAMING, ASIDE)}
        groups.append({**group, **settings, **({ASIDE: aside} if aside else {})})
        for key in shared:
            state.pop(called[key], None)
            if (entry := entries.get(there[key])) is not None:
                state[called[key]] = entry
    return {**saved, "state": state, "param_groups": groups}


def _called(groups: Sequence[Mapping[str, Any]]) -> list[dict[Key, int]]:
    """Of each group of a state dict the numbers of its parameters, by what they are called."""
    keys = iter(keys_of(groups))
    each = ((islice(keys, len(one["params"])), one["params"]) for one in groups)
    return [dict(zip(*pair, strict=True)) for pair in each]


def tensor(array: NDArray[Any], form: str) -> torch.Tensor:
    """The tensor in the memory of an array of a file."""
    dtype = DTYPES.get(form)
    if dtype is None:
        raise ValueError(f"torch has no dtype for {form}")
    if dtype not in APART:
        return torch.from_numpy(array)
    return torch.from_numpy(array.view(f"i{array.itemsize}")).view(dtype)


def _leaf(path: Path, value: Any) -> Leaf | None:
    if not isinstance(value, torch.Tensor):
        return array_leaf(value)
    if sharded(value):
        raise TypeError(
            "a DTensor, of which every rank has a part; save it with torch.distributed.checkpoint"
        )
    found, mark = value.detach(), TENSOR
    if found.dtype == torch.complex128:
        found, mark = torch.view_as_real(found.resolve_conj()), COMPLEX
    form = FORM_OF.get(found.dtype)
    if form is None or found.layout != torch.strided or found.device.type == "meta":
        raise TypeError(
            f"a {found.layout} tensor of {found.dtype} on {found.device}, which files cannot hold"
        )
    return Leaf(form, tuple(found.shape), lambda: _pieces(found, form), mark)


def _pieces(found: torch.Tensor, form: str) -> Iterator[Any]:
    plain = found.resolve_conj().resolve_neg()
    if plain.dtype in APART:
        plain = plain.view(BITS[plain.itemsize])
    if plain.device.type in HERE:
        yield from pieces(plain.numpy())
        return
    flat, count = plain.contiguous().view(-1), PIECE // FORMS[form].itemsize
    for begin in range(0, len(flat), count):
        yield from pieces(flat[begin : begin + count].cpu().numpy())


__all__ = ["read", "save"]

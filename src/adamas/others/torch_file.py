"""Files of `torch.save`: state dicts and dicts of such, read without running what is in them."""

import math
import os
import re
from collections.abc import Iterator, Mapping
from pickle import UnpicklingError
from typing import Any

from adamas.engine.loading import count
from adamas.files.reading import Named
from adamas.others import numpy_scalars
from adamas.others.found import Found, Stored, bounded, needed, read_by

# What torch says of a file that it would have to run something of.
GLOBAL = re.compile(r"GLOBAL ([\w.]+)|(?:class|type) ([\w.]+)")
# A file that nests deeper is none of a model or an optimizer.
DEEPEST = 50


def loaded(path: str) -> Any:
    """What `torch.save` was given: tensors, numbers, texts and containers of them.

    Tensors are memory maps. Raises ValueError for a file that holds anything else.
    """
    with Named(path, brief=True), read_by("torch"):
        needed("torch")
        try:
            with numpy_scalars.allowed():
                whole = _loaded(path)
            return _bounded(whole, os.path.getsize(path))
        except UnpicklingError as error:
            found = GLOBAL.search(str(error))
            if "nsupported" in str(error) and found:
                what = found[1] or found[2]
                if what.startswith("numpy."):
                    raise ValueError(
                        f"it holds {what}, an array or a kind of NumPy, which adamas does not read "
                        "from a file of torch; save torch.as_tensor(x), and a number as float(x)"
                    ) from None
                raise ValueError(
                    f"it holds {what}, which is code and no number, and adamas runs nothing that "
                    "is in a file; save optimizer.state_dict(), and of the model model.state_dict()"
                ) from None
            raise ValueError("torch finds no tensors, numbers and texts in it alone") from None


def _loaded(path: str) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError as error:
        if "mmap can only be used" not in str(error):
            raise
    # As torch wrote files before version 1.6.
    return torch.load(path, map_location="cpu", weights_only=True)


def _bounded(whole: Any, room: int) -> Any:
    """What was loaded; ValueError for a tensor that its file has no room for."""
    for name, one in _tensors(whole, "", {}, {}):
        if _plain_tensor(one):
            bounded(name, one.numel() * one.element_size(), room)
    return whole


def _plain_tensor(one: Any) -> bool:
    import torch

    return one.layout == torch.strided and one.device.type != "meta" and not one.is_quantized


def opened(path: str) -> Found:
    """The arrays of a file of torch, and the optimizer's groups; ValueError for what is none."""
    whole = loaded(path)
    with Named(path, brief=True), read_by("torch"):
        states = dict(optimizers(whole))
        arrays = {name: stored(tensor) for name, tensor in _tensors(whole, "", {}, states)}
        if not arrays:
            raise ValueError("it holds no tensors")
        groups = [_plain(one) for state in states.values() for one in state["param_groups"]]
        steps = [step for state in states.values() if (step := steps_of(state)) is not None]
        rules = {one.get("rule") for one in groups if isinstance(one.get("rule"), str)}
        known = f"adamas.torch ({', '.join(sorted(map(str, rules)))})" if rules else None
    return Found(path, "torch", arrays, max(steps, default=None), known, groups)


def optimizers(
    whole: Any, path: str = "", depth: int = 0
) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Every state dict of an optimizer in what was loaded, by where it stands."""
    if depth > DEEPEST or not isinstance(whole, Mapping | list | tuple):
        return
    if isinstance(whole, Mapping) and _is_state(whole):
        yield path, whole
        return
    pairs = whole.items() if isinstance(whole, Mapping) else enumerate(whole)
    for key, value in pairs:
        yield from optimizers(value, joined(path, key), depth + 1)


def _is_state(given: Mapping[Any, Any]) -> bool:
    """Whether it is what `state_dict()` of an optimizer gives."""
    state, groups = given.get("state"), given.get("param_groups")
    if not (isinstance(state, Mapping) and isinstance(groups, list)):
        return False
    proper = all(isinstance(one, Mapping) and isinstance(one.get("params"), list) for one in groups)
    return proper and all(isinstance(one, Mapping) for one in state.values())


def steps_of(state: Mapping[Any, Any]) -> int | None:
    """The most steps that a parameter had; None where nobody counts them.

    Raises ValueError for a number that counts none.
    """
    counts = [one["step"] for one in state["state"].values() if "step" in one]
    every = [float(one) for one in counts if getattr(one, "numel", lambda: 1)() == 1]
    if not (every and all(map(math.isfinite, every))):
        return None
    return max(count("steps", int(one)) for one in every)


def joined(path: str, key: Any) -> str:
    """The path of what stands under a key."""
    return f"{path}/{key}" if path else str(key)


def _tensors(
    tree: Any, path: str, names: Mapping[Any, Any], states: Mapping[str, Any], depth: int = 0
) -> Iterator[tuple[str, Any]]:
    """Every tensor by its path; entries of a state by the names of their parameters."""
    if depth > DEEPEST:
        raise ValueError("it is nested too deep")
    if hasattr(tree, "layout"):
        yield path or "tensor", tree
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            known = called(tree) if key == "state" and path in states else {}
            yield from _tensors(value, joined(path, names.get(key, key)), known, states, depth + 1)
    elif isinstance(tree, list | tuple):
        for place, value in enumerate(tree):
            yield from _tensors(value, joined(path, place), {}, states, depth + 1)


def called(state: Mapping[str, Any]) -> dict[Any, Any]:
    """The names of the parameters of a state dict by their numbers, where it has them."""
    return {
        number: name
        for group in state["param_groups"]
        for number, name in zip(group["params"], group.get("param_names") or (), strict=False)
    }


def stored(tensor: Any) -> Stored:
    """A tensor as an array of NumPy's."""
    import torch

    from adamas.torch.files import APART, BITS, FORM_OF

    found = tensor.detach()
    form, shape = FORM_OF.get(found.dtype), tuple(found.shape)
    if not _plain_tensor(found):
        return Stored(str(found.dtype).removeprefix("torch."), shape, 0, None)
    size = found.numel() * found.element_size()
    if form is None:
        plain = found.dtype == torch.complex128
        return Stored(
            "C128" if plain else str(found.dtype).removeprefix("torch."),
            shape,
            size,
            (lambda: found.resolve_conj().numpy()) if plain else None,
        )
    kind = BITS[found.element_size()] if found.dtype in APART else found.dtype
    return Stored(
        form, shape, size, lambda: _unsigned(found.resolve_conj().resolve_neg().view(kind), form)
    )


def _unsigned(bits: Any, form: str) -> Any:
    return bits.numpy().view("u2") if form == "BF16" else bits.numpy()


def _plain(group: Mapping[Any, Any]) -> dict[str, Any]:
    """The numbers and texts of a group, with the count of its parameters."""
    return {
        str(key): len(value) if key == "params" else _value(value)
        for key, value in group.items()
        if key != "param_names"
    }


def _value(value: Any) -> Any:
    if hasattr(value, "layout"):
        return value.item() if value.numel() == 1 else f"tensor of {list(value.shape)}"
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _value(one) for key, one in value.items()}
    return value if isinstance(value, bool | int | float | str | None) else str(value)

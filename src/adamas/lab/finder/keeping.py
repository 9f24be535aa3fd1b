"""Putting things back bit for bit: what a training step changes, kept and restored in place.

In place, because others hold the same objects: an engine its views, a scheduler the groups, a model
its parameters. Each function here takes a copy and returns a function that puts it back, any number
of times.
"""

import gc
import random
import sys
from collections.abc import Callable, Iterable, MutableMapping
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import adamas
from adamas.lab.needs import LabError

if TYPE_CHECKING:
    import torch

Put = Callable[[], object]
# What cannot be changed in place, so that the attribute itself is what there is to keep.
PLAIN = (bool, int, float, complex, str, bytes, type(None))


def every(puts: Iterable[Put]) -> Put:
    """Return a function that does all of `puts` in order."""
    ordered = list(puts)

    def put() -> None:
        for one in ordered:
            one()

    return put


def is_torch(thing: Any, name: str) -> bool:
    """Return whether `thing` is an instance of torch's `name`, without importing torch."""
    found: Any = sys.modules.get("torch")
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is not None and isinstance(thing, found)


def keep(thing: Any) -> Put:
    """Keep `thing`; raises `LabError` for what there is no way to put back."""
    if isinstance(thing, adamas.Optimizer):
        return _engine(thing)
    if is_torch(thing, "optim.Optimizer"):
        return _torch_optimizer(thing)
    if is_torch(thing, "nn.Module"):
        return every(map(_module, thing.modules()))
    if is_torch(thing, "Tensor"):
        return _tensor(thing)
    if isinstance(thing, np.ndarray):
        return partial(np.copyto, thing, thing.copy("K"))
    return _generator(thing) or _stateful(thing)


def around(optimizer: Any) -> Put:
    """Keep what belongs to a torch optimizer by its objects: modules and schedulers.

    Modules are those that hold one of its parameters, whose buffers a forward pass may change, such
    as those of batch normalization; schedulers are those that were made with it. They are found
    among all objects that Python's garbage collector knows.
    """
    if not is_torch(optimizer, "optim.Optimizer"):
        return every(())
    import torch

    mine = {id(param) for group in optimizer.param_groups for param in group["params"]}
    scheduler = torch.optim.lr_scheduler.LRScheduler
    puts: list[Put] = []
    for thing in gc.get_objects():
        # By the type: a proxy among them may do anything when it is asked for its class.
        kind = type(thing)
        if issubclass(kind, torch.nn.Module):
            if _made(thing) and not mine.isdisjoint(map(id, thing.parameters())):
                puts += [_buffers(module) for module in thing.modules()]
        elif issubclass(kind, scheduler) and getattr(thing, "optimizer", None) is optimizer:
            puts.append(_stateful(thing))
    return every(puts)


def _made(module: "torch.nn.Module") -> bool:
    """Return whether the `__init__` of a module got as far as its parameters.

    One whose class raised before may lie about in any process; a scripted one raises when asked.
    """
    try:
        return hasattr(module, "_parameters")
    except RuntimeError:
        return False


def _generator(thing: Any) -> Put | None:
    if isinstance(thing, np.random.Generator):
        bits = thing.bit_generator
        return partial(setattr, bits, "state", deepcopy(bits.state))
    if isinstance(thing, np.random.RandomState):
        return partial(thing.set_state, thing.get_state())
    if isinstance(thing, random.Random):
        return partial(thing.setstate, thing.getstate())
    if is_torch(thing, "Generator"):
        return partial(thing.set_state, thing.get_state())
    return None


def _stateful(thing: Any) -> Put:
    if hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict"):
        saved = deepcopy(thing.state_dict())
        return lambda: thing.load_state_dict(deepcopy(saved))
    if callable(thing):
        return lambda: thing()
    raise LabError("error.cannot_restore", kind=type(thing).__name__)


def randomness() -> Put:
    """Keep the global random states of Python, NumPy and, where it is loaded, PyTorch."""
    puts: list[Put] = [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),
    ]
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        puts.append(partial(torch.set_rng_state, torch.get_rng_state()))
        if torch.cuda.is_initialized():
            puts.append(partial(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    return every(puts)


def _attributes(thing: Any) -> Put:
    """Keep the numbers and texts among the attributes of an object."""
    kept = {name: value for name, value in vars(thing).items() if isinstance(value, PLAIN)}
    return lambda: vars(thing).update(kept)


def _engine(optimizer: adamas.Optimizer) -> Put:
    # First, because rows that wait for their steps are brought up to date by it.
    saved = optimizer.state_dict()
    puts = [keep(param) for group in optimizer.param_groups for param in group["params"]]
    groups = [partial(group.update, dict(group)) for group in optimizer.param_groups]
    seen = [
        partial(setattr, optimizer, name, getattr(optimizer, name))
        for name in ("grad_norm", "skipped")
    ]
    load = partial(optimizer.load_state_dict, saved)
    return every([*puts, *groups, load, *seen, _attributes(optimizer)])


def _torch_optimizer(optimizer: "torch.optim.Optimizer") -> Put:
    from adamas.torch import Optimizer

    puts: list[Put] = []
    ours = isinstance(optimizer, Optimizer)
    if isinstance(optimizer, Optimizer):
        if optimizer.gradients_released:
            raise LabError("error.released")
        optimizer.sync()
    for group in optimizer.param_groups:
        puts += [_mapping(group, ("params",)), *map(_parameter, group["params"])]
    puts.append(_mapping(optimizer.state))
    if ours:
        # As after a copy or a pickle, the engine is laid out anew at the next step.
        puts.append(partial(optimizer.__setstate__, {}))
    return every([*puts, _attributes(optimizer)])


def _parameter(parameter: "torch.Tensor") -> Put:
    """Keep a tensor and its gradient."""
    grad = parameter.grad
    puts: list[Put] = [_tensor(parameter), partial(setattr, parameter, "grad", grad)]
    return every(puts if grad is None else [*puts, _tensor(grad)])


def _module(module: "torch.nn.Module") -> Put:
    """Keep one module without its children: parameters, buffers and mode."""
    puts: list[Put] = [_mapping(module._parameters, module._parameters), _buffers(module)]
    return every([*puts, *(_parameter(p) for p in module._parameters.values() if p is not None)])


def _buffers(module: "torch.nn.Module") -> Put:
    """Keep the buffers and the mode of one module without its children."""
    if isinstance(module._buffers, dict):
        kept = _mapping(module._buffers)
    else:  # a scripted module's buffers cannot be exchanged
        kept = every(map(_tensor, module.buffers(recurse=False)))
    return every([kept, partial(setattr, module, "training", module.training)])


def _tensor(tensor: "torch.Tensor") -> Put:
    """Keep the numbers of a tensor, and the memory that they are in."""
    import torch

    memory = tensor.detach()
    copy = memory.clone()
    strided = tensor.layout is torch.strided

    def put() -> None:
        with torch.no_grad():
            if strided and tensor.data_ptr() != memory.data_ptr():
                tensor.data = memory
            tensor.copy_(copy)

    return put


def _mapping(mapping: MutableMapping[Any, Any], flat: Iterable[str] = ()) -> Put:
    """Keep which values a dict has and what is in them; of those named in `flat` only which."""
    kept = dict(mapping)
    inner = [_value(value) for key, value in kept.items() if key not in flat]

    def put() -> None:
        mapping.clear()
        mapping.update(kept)

    return every([put, *inner])


def _list(values: list[Any]) -> Put:
    kept = list(values)
    return every([partial(values.__setitem__, slice(None), kept), *map(_value, kept)])


def _value(value: Any) -> Put:
    """Keep what can change inside of a value."""
    if is_torch(value, "Tensor") or isinstance(value, np.ndarray):
        return keep(value)
    if isinstance(value, dict):
        return _mapping(value)
    return _list(value) if isinstance(value, list) else every(())

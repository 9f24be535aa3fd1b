"""Situations of torch's suite about state dicts: hooks, names, older versions, isolation."""

import io
import pickle
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn

from torch_descents import affine, lossy
from torch_table import INFOS, NAMES, classes, inputs

Params = list[nn.Parameter]


def made(
    name: str, kwargs: dict[str, Any], named: bool = False, params: Params | None = None
) -> tuple[Any, Params, Callable[[], torch.Tensor]]:
    """An optimizer of ours over a matrix and a vector, those, and the closure of its loss."""
    params = affine(True) if params is None else params
    given = [(f"name{k}", p) for k, p in enumerate(params)] if named else params
    opt = classes(name)[0](given, **deepcopy(kwargs))
    return opt, params, lossy(opt, *params)


def stepped(opt: Any, closure: Callable[[], torch.Tensor], count: int = 3) -> Any:
    """The optimizer after some steps."""
    for _ in range(count):
        opt.step(closure)
    return opt


def equal(one: Any, other: Any) -> bool:
    """Whether two state dicts are equal to the last bit, names of parameters aside."""
    if isinstance(one, dict):
        keys = one.keys() - {"param_names"}
        return keys == other.keys() - {"param_names"} and all(equal(one[k], other[k]) for k in keys)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    return bool(one == other)


def through_a_file(saved: Any, **how: Any) -> Any:
    """What `torch.load` reads of it."""
    file = io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    return torch.load(file, **how)


NAMED = [(False, False), (False, True), (True, False), (True, True)]


@pytest.mark.parametrize("name", NAMES)
def test_equal_runs_have_equal_state_dicts(name: str) -> None:
    """With or without names on either side, a loaded run stays equal, state dict included."""
    for k, kwargs in enumerate(inputs(name)):
        here, there = NAMED[k % 4]
        opt, params, closure = made(name, kwargs, here)
        stepped(opt, closure, 4)
        copies = [nn.Parameter(p.detach().clone()) for p in params]
        other, _, again = made(name, kwargs, there, copies)
        other.load_state_dict(deepcopy(opt.state_dict()))
        for _ in range(4):
            opt.step(closure)
            other.step(again)
            assert all(torch.equal(a, b) for a, b in zip(params, copies, strict=True))
        assert equal(opt.state_dict(), other.state_dict())


@pytest.mark.parametrize("name", NAMES)
def test_a_group_listed_twice_is_saved_alike(name: str) -> None:
    """Parameters that two groups hold have the same numbers in both of a state dict."""
    for kwargs in inputs(name):
        opt, _, closure = made(name, kwargs)
        stepped(opt, closure)
        once = opt.state_dict()["param_groups"][-1]
        opt.param_groups.extend(opt.param_groups)
        twice = opt.state_dict()["param_groups"]
        assert len(twice) == 2 and twice[0] == twice[1] == once


@pytest.mark.parametrize("name", NAMES)
def test_state_dicts_of_older_versions(name: str) -> None:
    """A state dict without the flags that torch added over the years is loaded and stepped."""
    for kwargs in inputs(name):
        opt, params, closure = made(name, kwargs)
        stepped(opt, closure)
        old = deepcopy(opt.state_dict())
        for group in old["param_groups"]:
            for flag in (*INFOS[name].not_og_supported_flags, "decoupled_weight_decay"):
                group.pop(flag, None)
        copies = [nn.Parameter(p.detach().clone()) for p in params]
        other, _, again = made(name, kwargs, params=copies)
        other.load_state_dict(old)
        opt.step(closure)
        other.step(again)
        assert all(torch.equal(a, b) for a, b in zip(params, copies, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_steps_that_are_no_tensors(name: str) -> None:
    """Step counts saved as plain numbers, whole or float, go on as tensors would."""
    for kind in (int, float):
        for kwargs in inputs(name):
            opt, params, closure = made(name, kwargs)
            stepped(opt, closure)
            old = deepcopy(opt.state_dict())
            for entry in old["state"].values():
                if "step" in entry:
                    entry["step"] = kind(entry["step"].item())
            copies = [nn.Parameter(p.detach().clone()) for p in params]
            other, _, again = made(name, kwargs, params=copies)
            other.load_state_dict(old)
            opt.step(closure)
            other.step(again)
            assert all(torch.equal(a, b) for a, b in zip(params, copies, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_files_are_equal_to_what_was_saved(name: str) -> None:
    """What is loaded with and without `weights_only` equals the state dict, bit for bit."""
    for k, kwargs in enumerate(inputs(name)):
        opt, _, closure = made(name, kwargs, named=k % 2 == 1)
        saved = stepped(opt, closure).state_dict()
        for how in ({"weights_only": True}, {"weights_only": False}, {"map_location": "cpu"}):
            assert equal(through_a_file(saved, **how), saved)


@pytest.mark.parametrize("name", NAMES)
def test_loading_isolates(name: str) -> None:
    """Who loads another's live state dict shares neither tensors nor settings with it."""
    for kwargs in inputs(name):
        opt, _, closure = made(name, kwargs)
        stepped(opt, closure)
        before = deepcopy(opt.state_dict())
        other, _, again = made(name, kwargs, params=affine(True))
        other.load_state_dict(opt.state_dict())
        other.param_groups[0]["lr"] = 7.0
        stepped(other, again)
        assert equal(opt.state_dict(), before)


@pytest.mark.parametrize("name", NAMES)
def test_copies_have_every_public_attribute(name: str) -> None:
    """A deep copy has the public attributes of its original, after steps too."""
    for kwargs in inputs(name):
        opt, _, closure = made(name, kwargs)
        stepped(opt, closure)
        for twin in (deepcopy(opt), pickle.loads(pickle.dumps(opt))):
            public = [{k for k in vars(o) if not k.startswith("_")} for o in (opt, twin)]
            assert public[0] == public[1]
            assert equal(opt.state_dict(), twin.state_dict())


@pytest.mark.parametrize("name", NAMES)
def test_frozen_parameters_have_no_state_and_are_loaded_so(name: str) -> None:
    """Parameters that never had a gradient are in the groups of a file and not in its state."""
    for kwargs in inputs(name):
        opt, params, closure = made(name, kwargs)
        params[0].requires_grad_(False)
        saved = deepcopy(stepped(opt, closure).state_dict())
        assert saved["param_groups"][0]["params"] == [0, 1] and 0 not in saved["state"]
        copies = [nn.Parameter(p.detach().clone()) for p in params]
        other, _, again = made(name, kwargs, params=copies)
        other.load_state_dict(saved)
        assert copies[0] not in other.state
        params[0].requires_grad_(True)
        stepped(opt, closure)
        stepped(other, again)
        assert all(torch.equal(a, b) for a, b in zip(params, copies, strict=True))


def noted(opt: Any) -> None:
    """A hook before saving: an entry of its own in the state."""
    opt.state["test"] = 1


def moved(opt: Any, saved: dict[str, Any]) -> dict[str, Any]:
    """A hook after saving: that entry goes to the top."""
    return {**saved, "noted": saved["state"].pop("test", None) == 1}


def to_two(opt: Any, saved: dict[str, Any]) -> None:
    """A hook before loading that changes the dict it is given."""
    saved["param_groups"][0]["lr"] = 0.002


def to_three(opt: Any, saved: dict[str, Any]) -> dict[str, Any]:
    """A hook before loading that returns another dict."""
    other = deepcopy(saved)
    other["param_groups"][0]["lr"] = 0.003
    return other


def test_hooks_around_saving() -> None:
    """Entries that a hook leaves in `state` under keys of its own are in the state dict."""
    opt, _, closure = made("AdamW", {})
    after = opt.register_state_dict_post_hook(moved)
    assert opt.state_dict()["noted"] is False
    after.remove()
    opt.register_state_dict_pre_hook(noted)
    assert opt.state_dict()["state"]["test"] == 1
    opt.register_state_dict_post_hook(moved)
    saved = opt.state_dict()
    assert saved["noted"] is True and "test" not in saved["state"]
    stepped(opt, closure)
    assert opt.state["test"] == 1


def test_hooks_around_loading() -> None:
    """Hooks before loading run in their order, `prepend` first, on a dict of their own."""
    opt, _, _ = made("AdamW", {})
    saved, seen = opt.state_dict(), []
    opt.register_load_state_dict_pre_hook(to_two)
    opt.load_state_dict(saved)
    assert opt.param_groups[0]["lr"] == 0.002
    opt.register_load_state_dict_pre_hook(to_three, prepend=True)
    opt.register_load_state_dict_post_hook(lambda o: seen.append(o.param_groups[0]["lr"]))
    opt.load_state_dict(saved)
    assert opt.param_groups[0]["lr"] == 0.002
    handle = opt.register_load_state_dict_pre_hook(to_three)
    opt.load_state_dict(saved)
    handle.remove()
    opt.load_state_dict(saved)
    assert seen == [0.002, 0.003, 0.002]


def test_hooks_may_be_removed_and_mixed() -> None:
    """Step hooks of one and of all optimizers run in torch's order, and not once removed."""
    from torch.optim import optimizer as base

    params, seen = affine(True), []
    pair = [make(params) for make in classes("SGD")]
    handles = [
        base.register_optimizer_step_pre_hook(lambda *_: seen.append(0)),
        base.register_optimizer_step_post_hook(lambda *_: seen.append(5)),
    ]
    for opt in pair:
        handles.append(opt.register_step_pre_hook(lambda *_: seen.append(1)))
        handles.append(opt.register_step_post_hook(lambda *_: seen.append(2)))
    for opt in (*pair, pair[0]):
        opt.step()
    assert seen == [0, 1, 2, 5] * 3
    for handle in handles:
        handle.remove()
    for opt in pair:
        opt.step()
    assert len(seen) == 12


def test_a_hook_before_the_step_may_change_its_arguments() -> None:
    """What a hook before the step returns is what the step is called with, as in torch."""
    for make in classes("SGD"):
        opt = make(affine(True))
        handle = opt.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 7.0), {}))
        assert opt.step(lambda: 1.0) == 7.0
        handle.remove()
        opt.register_step_pre_hook(lambda *_: 3)
        with pytest.raises(RuntimeError, match="must return None or a tuple"):
            opt.step()

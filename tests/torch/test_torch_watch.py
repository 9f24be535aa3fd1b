"""Whatever is replaced or moved between two steps, with the same numbers in it, changes nothing.

torch's own SGD is the reference; numbers are multiples of powers of two, so that both are exact.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adamas.engine.chunks import Table
from adamas.torch import SGD

SHAPES = [(3, 4), (5,), (2, 3, 4, 4)]
Change = Callable[[Any, torch.nn.Parameter], None]


def replaced_entry(opt: Any, p: torch.nn.Parameter) -> None:
    """Another dict with the same tensors."""
    opt.state[p] = dict(opt.state[p])


def replaced_state(opt: Any, p: torch.nn.Parameter) -> None:
    """Other tensors of the same numbers under the same names."""
    opt.state[p].update({key: value.clone() for key, value in opt.state[p].items()})


def one_more(opt: Any, p: torch.nn.Parameter) -> None:
    """A value of somebody else's in an entry."""
    opt.state[p]["theirs"] = torch.ones(2)


def odd_entry(opt: Any, p: torch.nn.Parameter) -> None:
    """Something in the state that is no entry of a parameter."""
    opt.state["theirs"] = 5


def moved_state(opt: Any, p: torch.nn.Parameter) -> None:
    """The same tensors on other memory."""
    for value in opt.state[p].values():
        value.data = value.clone()


def set_state(opt: Any, p: torch.nn.Parameter) -> None:
    """The same tensors on other memory, by another way."""
    for value in opt.state[p].values():
        value.set_(value.clone())


def moved_parameter(opt: Any, p: torch.nn.Parameter) -> None:
    """The parameter on other memory."""
    p.data = p.data.clone()


def turned(opt: Any, p: torch.nn.Parameter) -> None:
    """The parameter in another memory order."""
    p.data = p.data.mT.contiguous().mT if p.ndim > 1 else p.data.clone()


def swapped(opt: Any, p: torch.nn.Parameter) -> None:
    """The parameters of a group in another order."""
    opt.param_groups[0]["params"].reverse()


def spare(opt: Any, p: torch.nn.Parameter) -> None:
    """One more group of a parameter without a gradient."""
    opt.add_param_group({"params": [torch.nn.Parameter(torch.ones(2))]})


CHANGES: dict[str, Change] = {
    one.__name__: one
    for one in (
        replaced_entry, replaced_state, one_more, odd_entry, moved_state, set_state,
        moved_parameter, turned, swapped, spare,
    )
}  # fmt: skip


def negated(g: torch.Tensor) -> torch.Tensor:
    """The same numbers, lazily negated."""
    made: torch.Tensor = torch._neg_view(-g)  # type: ignore[attr-defined]
    return made


def widened(g: torch.Tensor) -> torch.Tensor:
    """The same numbers, not side by side."""
    return torch.stack([g, g], -1)[..., 0]


GRADIENTS: dict[str, Callable[[torch.Tensor], torch.Tensor | None]] = {
    "fresh": torch.Tensor.clone,
    "left out": lambda g: None,
    "negated": negated,
    "widened": widened,
    "a parameter": torch.nn.Parameter,
}


@settings(max_examples=60)
@given(data=st.data())
def test_nothing_that_moves_is_lost(data: st.DataObject) -> None:
    """After any changes of memory, objects and forms the run is that of torch's optimizer."""
    ours, theirs = ([torch.nn.Parameter(torch.ones(shape)) for shape in SHAPES] for _ in range(2))
    opt = SGD(ours, lr=0.5, momentum=0.5)
    reference = torch.optim.SGD(theirs, lr=0.5, momentum=0.5)
    kept = [torch.zeros(shape) for shape in SHAPES]
    for step in range(1, 7):
        for p, q, room in zip(ours, theirs, kept, strict=True):
            kind = data.draw(st.sampled_from(["kept", *GRADIENTS]))
            g = torch.full(p.shape, float(step % 3))
            p.grad = room.copy_(g) if kind == "kept" else GRADIENTS[kind](g)
            q.grad = None if p.grad is None else g
        opt.step()
        reference.step()
        which = data.draw(st.sampled_from([None, *CHANGES]))
        place = data.draw(st.integers(0, len(SHAPES) - 1))
        if which and ours[place] in opt.state:
            CHANGES[which](opt, ours[place])
    for p, q in zip(ours, theirs, strict=True):
        assert torch.equal(p, q)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_met(change: str) -> None:
    """One change of each kind after good steps, and the run is that of torch's optimizer."""
    ours, theirs = ([torch.nn.Parameter(torch.ones(shape)) for shape in SHAPES] for _ in range(2))
    opt = SGD(ours, lr=0.5, momentum=0.5)
    reference = torch.optim.SGD(theirs, lr=0.5, momentum=0.5)
    for step in range(1, 7):
        for p in [*ours, *theirs]:
            p.grad = torch.full(p.shape, float(step % 3))
        opt.step()
        reference.step()
        if step == 3:
            CHANGES[change](opt, ours[0])
    for p, q in zip(ours, theirs, strict=True):
        assert torch.equal(p, q)
        momenta = [one.state[w]["momentum_buffer"] for one, w in ((opt, p), (reference, q))]
        assert torch.equal(*momenta)


@pytest.mark.parametrize("look", ["view", "transpose"])
def test_another_look_at_the_same_memory(look: str) -> None:
    """A parameter that gets another shape, or order, where it lies is stepped as it is now."""
    p = torch.nn.Parameter(torch.arange(16.0).reshape(4, 4))
    opt = SGD([p], lr=1.0)
    for _ in range(2):
        p.grad = torch.zeros(4, 4)
        opt.step()
    p.data = p.data.view(2, 8) if look == "view" else p.data.mT
    before, p.grad = p.detach().clone(), torch.arange(16.0).reshape(p.shape)
    opt.step()
    assert torch.equal(p, before - torch.arange(16.0).reshape(p.shape))


def test_another_parameter_in_a_group() -> None:
    """A parameter that takes the place of one with an equal value is stepped, and that one not."""
    p, q = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    opt = SGD([p], lr=1.0)
    p.grad, q.grad = torch.zeros(1), torch.ones(1)
    for _ in range(2):
        opt.step()
    opt.param_groups[0]["params"][0] = q
    opt.step()
    assert (p.item(), q.item()) == (0.0, -1.0)


def test_an_interrupt_while_gradients_are_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that was interrupted leaves no gradients behind that a later one would take."""
    p = torch.nn.Parameter(torch.zeros(4))
    opt = SGD([p], lr=1.0)
    rooms = torch.ones(4), torch.full((4,), 100.0)
    p.grad = rooms[0]
    opt.step()
    opt.step()
    point = Table.point

    def interrupted(table: Table, gradients: Any) -> None:
        point(table, gradients)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Table, "point", interrupted)
        p.grad = rooms[1]
        with pytest.raises(KeyboardInterrupt):
            opt.step()
    p.grad = rooms[0]
    opt.step()
    assert p.tolist() == [-3.0] * 4

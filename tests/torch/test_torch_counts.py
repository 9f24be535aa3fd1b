"""The step count of `optimizer.state` is anybody's to set: what follows from it stays right."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from adamas.engine import sparse
from adamas.torch import Adam, AdamW, Prodigy
from torch_samples import ROWS, rows_of

MOST = 1 << 53


def optimizers() -> list[tuple[torch.nn.Parameter, AdamW]]:
    """The same parameter under exact rows and under dense steps."""
    start = torch.linspace(1, 2, 3 * ROWS).reshape(ROWS, 3)
    made = [torch.nn.Parameter(start.clone()) for _ in range(2)]
    options: dict[str, Any] = {"lr": 0.1, "weight_decay": 0.25}
    return [
        (made[0], AdamW([made[0]], rows="exact", **options)),
        (made[1], AdamW([made[1]], **options)),
    ]


def set_count(optimizer: AdamW, p: torch.nn.Parameter, count: int, how: str) -> None:
    """Set the step of `p` as people do."""
    step = optimizer.state[p]["step"]
    if how == "fill":
        step.fill_(count)
    elif how == "data":
        step.data.fill_(count)
    else:
        optimizer.state[p]["step"] = torch.tensor(float(count))


counts = st.sampled_from([0, 1, 2, 100_000, 1 << 24])
events = st.lists(st.integers(0, ROWS - 1), max_size=4) | st.tuples(
    counts, st.sampled_from(["fill", "data", "new"])
)


@given(events=st.lists(events, min_size=2, max_size=14), history=st.sampled_from([1, 3, 1024]))
def test_exact_rows_follow_a_count_that_is_set(events: list[Any], history: int) -> None:
    """Whatever the count is set to, rows end where dense steps with the same counts end."""
    (p, ours), (q, whole) = optimizers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse, "HISTORY", history)
        for event in events:
            if isinstance(event, list):
                p.grad = rows_of(event)
                q.grad = p.grad.to_dense()
                ours.step()
                whole.step()
            elif ours.state[p]:
                set_count(ours, p, *event)
                set_count(whole, q, *event)
        ours.sync()
    assert torch.equal(p, q)
    for key, value in (ours.state[p] or {}).items():
        assert torch.equal(value, whole.state[q][key].to(value.dtype)), key


@pytest.mark.parametrize("count", [-1, -(1 << 63), MOST, (1 << 63) - 1])
@pytest.mark.parametrize("exact", [True, False])
def test_a_count_that_counts_no_steps_is_refused(count: int, exact: bool) -> None:
    """A negative count, or one that float64 cannot count on from, is an error; nothing changes."""
    p, optimizer = optimizers()[0 if exact else 1]
    for named in ([0], [1], [2]):
        p.grad = rows_of(named) if exact else torch.ones(ROWS, 3)
        optimizer.step()
    optimizer.state[p]["step"].fill_(count)
    before = [p.detach().clone(), *(value.clone() for value in optimizer.state[p].values())]
    for _ in range(2):
        with pytest.raises(ValueError, match=f"step of '0.0' is {count}"):
            optimizer.step()
    assert all(map(torch.equal, before, [p.detach(), *optimizer.state[p].values()]))
    optimizer.state[p]["step"].fill_(3)
    optimizer.step()


@pytest.mark.parametrize("count", [-1.0, float("nan"), float("inf"), 2.0**53, 2.0**63])
def test_a_loaded_count_that_counts_no_steps_is_refused(count: float) -> None:
    """The same of a state dict, before anything is changed."""
    p, optimizer = optimizers()[0]
    for named in ([0], [1]):
        p.grad = rows_of(named)
        optimizer.step()
    saved = optimizer.state_dict()
    saved["state"][0] = {**saved["state"][0], "step": torch.tensor(count)}
    before = [p.detach().clone(), *(value.clone() for value in optimizer.state[p].values())]
    with pytest.raises(ValueError, match="a saved step is"):
        optimizer.load_state_dict(saved)
    assert all(map(torch.equal, before, [p.detach(), *optimizer.state[p].values()]))


def test_other_rows_do_not_inherit_missed_steps() -> None:
    """A parameter that has other rows than those that wait is refused, until they are synced."""
    p, optimizer = optimizers()[0]
    for named in ([0, 1], [5]):
        p.grad = rows_of(named)
        optimizer.step()

    def cut() -> None:
        p.data, p.grad = p.data[:2].clone(), None
        entry = optimizer.state[p]
        entry.update({k: v[:2].clone() for k, v in entry.items() if v.ndim})
        p.grad = rows_of([1], 2)

    kept = p.data.clone(), dict(optimizer.state[p])
    cut()
    with pytest.raises(ValueError, match=r"has 2 rows and had 6, .*sync\(\)"):
        optimizer.step()
    p.grad = None
    p.data = kept[0]
    optimizer.state[p].update(kept[1])
    optimizer.sync()
    cut()
    optimizer.step()
    assert bool(torch.isfinite(p).all())


def test_another_rule_does_not_take_over_missed_steps() -> None:
    """Constants of one rule mean nothing to another: rows miss no step when the rule is changed."""
    rows, dense = (torch.nn.Parameter(torch.ones(ROWS, 3)) for _ in range(2))
    options: dict[str, Any] = {"lr": 0.1, "weight_decay": 0.1}
    ours, whole = Adam([rows], rows="exact", **options), Adam([dense], **options)
    for k, named in enumerate(([0, 1], [5], [2], [0])):
        for optimizer in (ours, whole):
            optimizer.param_groups[0]["decoupled_weight_decay"] = k > 1
        rows.grad = rows_of(named)
        dense.grad = rows.grad.to_dense()
        ours.step()
        whole.step()
    ours.sync()
    assert torch.equal(rows, dense)


def test_constants_outside_their_room_are_never_addressed() -> None:
    """A step that a history does not hold has no address, before its room and behind it."""
    history = sparse.ExactRows("rule", np.full(4, 7), 7, np.zeros((sparse.HISTORY, 2)))
    for steps in (6, 7 + sparse.HISTORY, -1, (1 << 63) - 1, -(1 << 63)):
        with pytest.raises(IndexError, match="are kept"):
            history.address_of(np.array([8, steps]))


def test_a_late_parameter_has_what_all_share() -> None:
    """Prodigy's d of a parameter whose first gradient comes late is that of all others."""
    first, late = (torch.nn.Parameter(torch.full(shape, 5.0)) for shape in ((3, 2), (4,)))
    optimizer = Prodigy([first, late])
    for step in range(20):
        first.grad = first.detach() - 3
        late.grad = late.detach() + 3 if step >= 15 else None
        optimizer.step()
        alike = [optimizer.state[p] for p in (first, late) if p.grad is not None]
        assert len({float(one["d"]) for one in alike}) == 1
    assert float(optimizer.state[late]["d"]) > 1e-5
    assert int(optimizer.state[late]["step"]) == 5

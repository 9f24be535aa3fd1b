"""Sparse COO gradients: rows stepped as SparseAdam steps them, or exactly as a dense step would."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import adamas.torch
from adamas.torch import SGD, Adam, AdamW
from torch_samples import pair


def sparse(rows: list[int], values: torch.Tensor, count: int) -> torch.Tensor:
    """A COO gradient that may name a row twice."""
    indices = torch.tensor([rows], dtype=torch.int64).reshape(1, -1)
    return torch.sparse_coo_tensor(
        indices, values, (count, *values.shape[1:]), check_invariants=True
    )


def test_sparse_rows_are_stepped_as_sparse_adam_does() -> None:
    """Lazy rows: the same rows move as in torch's SparseAdam, duplicates summed."""
    here, there = pair(torch.randn(9, 4))
    ours = Adam([here], lr=0.1, eps=1e-20)
    torchs = torch.optim.SparseAdam([there], lr=0.1, eps=1e-20)
    for rows in ([1, 3, 3], [0, 8], [], [1, 2, 8, 1]):
        values = torch.randn(len(rows), 4)
        here.grad, there.grad = sparse(rows, values, 9), sparse(rows, values.clone(), 9)
        ours.step()
        torchs.step()
        torch.testing.assert_close(here, there, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SGD", {}),
        ("SGD", {"momentum": 0.9}),
        ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("SGD", {"momentum": 0.9, "dampening": 0.5}),
        ("SGD", {"momentum": 0.9, "maximize": True}),
        ("Adagrad", {}),
        ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.3}),
    ],
    ids=str,
)
def test_classes_of_torch_that_take_sparse_gradients(kind: str, options: dict[str, Any]) -> None:
    """Sparse gradients give torch's parameters after every step, rows that were not named too."""
    here, there = pair(torch.randn(9, 4))
    ours = getattr(adamas.torch, kind)([here], lr=0.1, **options)
    torchs = getattr(torch.optim, kind)([there], lr=0.1, **options)
    for rows in ([1, 3, 3], [0, 8], [], [1, 2, 8, 1], [5]):
        values = torch.randn(len(rows), 4)
        here.grad, there.grad = sparse(rows, values, 9), sparse(rows, values.clone(), 9)
        ours.step()
        with torch.sparse.check_sparse_tensor_invariants():
            torchs.step()
        torch.testing.assert_close(here, there, rtol=1e-5, atol=1e-6)


@given(
    named=st.lists(st.integers(0, 199), max_size=300) | st.lists(st.integers(0, 2), max_size=300),
    shape=st.sampled_from([(), (1,), (3,), (2, 2), (96,)]),
    seed=st.integers(0, 99),
)
def test_rows_that_come_twice_step_as_their_sum(
    named: list[int], shape: tuple[int, ...], seed: int
) -> None:
    """A gradient in any order, rows repeated, has the bits of values added in the order they come.

    The sums are made here one by one; order matters, because the values differ widely in size.
    """
    draw = torch.Generator().manual_seed(seed)
    values = torch.randn(len(named), *shape, generator=draw)
    values *= 10.0 ** torch.randint(-6, 6, values.shape, generator=draw)
    sums: dict[int, torch.Tensor] = {}
    for row, value in zip(named, values, strict=True):
        sums[row] = sums[row] + value if row in sums else value
    single = torch.stack([sums[row] for row in sorted(sums)]) if sums else values
    several, once = (torch.nn.Parameter(torch.ones(200, *shape)) for _ in range(2))
    ours, theirs = (Adam([p], lr=0.1, clip_norm=1.0) for p in (several, once))
    kept = values.clone()
    for _ in range(2):
        several.grad = sparse(named, values, 200)
        once.grad = sparse(sorted(sums), single, 200)
        ours.step()
        theirs.step()
    assert torch.equal(several, once) and ours.grad_norm == theirs.grad_norm
    assert torch.equal(values, kept)


def test_tables_of_rows_serve_more_and_fewer_rows() -> None:
    """Steps that name other numbers of rows than the one before step as SparseAdam does."""
    here, there = pair(torch.randn(5000, 3))
    # SparseAdam adds eps before the correction of the second moment, which shows in tiny gradients.
    ours, torchs = Adam([here], eps=1e-15), torch.optim.SparseAdam([there], eps=1e-15)
    for count in (40, 44, 45, 5000, 12, 0, 1, 700, 4999):
        rows = torch.randperm(5000)[:count].tolist()
        values = torch.randn(count, 3)
        here.grad, there.grad = sparse(rows, values, 5000), sparse(rows, values.clone(), 5000)
        ours.step()
        torchs.step()
        torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-6)


def test_a_gradient_inside_its_parameter_is_read_before_it_is_written() -> None:
    """Values that lie in the parameter's own memory step as a copy of them does."""
    inside, copied = (torch.nn.Parameter(torch.linspace(1, 2, 24).reshape(8, 3)) for _ in range(2))
    ours, theirs = SGD([inside], lr=0.5), SGD([copied], lr=0.5)
    values = inside.detach()[:4]
    copied.grad = sparse([3, 2, 1, 0], values.clone(), 8)
    inside.grad = sparse([3, 2, 1, 0], values, 8)
    ours.step()
    theirs.step()
    assert torch.equal(inside, copied)


@given(st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=1, max_size=6))
def test_exact_rows_are_a_dense_step_with_zeros(steps: list[list[int]]) -> None:
    """rows="exact": after `sync` the bits of a dense run, decoupled weight decay included."""
    rows, dense = (torch.nn.Parameter(torch.linspace(1, 2, 18).reshape(6, 3)) for _ in range(2))
    ours = AdamW([rows], lr=0.1, weight_decay=0.1, rows="exact")
    whole = AdamW([dense], lr=0.1, weight_decay=0.1)
    for named in steps:
        values = torch.ones(len(named), 3) * 0.5
        rows.grad = sparse(named, values, 6)
        dense.grad = sparse(named, values, 6).to_dense()
        ours.step()
        whole.step()
    ours.sync()
    assert torch.equal(rows, dense)


def test_exact_rows_survive_a_new_layout() -> None:
    """Rows still behind when a parameter's memory is replaced are caught up in the new memory."""
    rows, dense = (torch.nn.Parameter(torch.linspace(1, 2, 12).reshape(4, 3)) for _ in range(2))
    ours, whole = Adam([rows], lr=0.1, rows="exact"), Adam([dense], lr=0.1)
    for named in ([0, 1], [2], [0]):
        rows.grad = sparse(named, torch.ones(len(named), 3), 4)
        dense.grad = rows.grad.to_dense()
        ours.step()
        whole.step()
        rows.data = rows.data.clone()
    ours.state_dict()
    assert torch.equal(rows, dense)


def test_sparse_gradients_of_more_than_rows_are_refused() -> None:
    """A COO gradient with two sparse dimensions is refused with what to do."""
    parameter = torch.nn.Parameter(torch.zeros(2, 2))
    parameter.grad = torch.eye(2).to_sparse()
    with pytest.raises(TypeError, match="sparse dimensions"):
        SGD([parameter]).step()


def test_zeroing_gradients_in_the_step() -> None:
    """zero_grad_in_step leaves zeros where dense gradients lay and drops sparse ones."""
    dense, rows = (torch.nn.Parameter(torch.ones(4, 2)) for _ in range(2))
    optimizer = SGD([dense, rows], zero_grad_in_step=True)
    for _ in range(2):
        dense.grad, rows.grad = torch.ones(4, 2), sparse([1], torch.ones(1, 2), 4)
        kept = dense.grad
        optimizer.step()
        assert dense.grad is kept and not bool(kept.any()) and rows.grad is None

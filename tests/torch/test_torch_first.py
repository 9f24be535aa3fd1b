"""First steps of rows in PyTorch: sparse embeddings whose rows are seen late, or never."""

import copy
import io
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
import adamas.torch.driver
from adamas.torch import SGD, Adam, Adan, ScheduleFreeAdamW, release_gradients
from torch_samples import ROWS, rows_of


def training(optimizer: Any) -> Any:
    """Schedule-free optimizers begin in eval mode."""
    if isinstance(optimizer, ScheduleFreeAdamW):
        optimizer.train()
    return optimizer


def renewed(optimizer: Any, p: torch.nn.Parameter) -> tuple[Any, torch.nn.Parameter]:
    """The state in another optimizer, through a file."""
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    q = torch.nn.Parameter(p.detach().clone())
    made = type(optimizer)([q], lr=0.1, ema=0.75)
    made.load_state_dict(torch.load(file, weights_only=True))
    return made, q


def copied(optimizer: Any, p: torch.nn.Parameter) -> tuple[Any, torch.nn.Parameter]:
    """A deep copy."""
    made = copy.deepcopy(optimizer)
    return made, made.param_groups[0]["params"][0]


def moved(optimizer: Any, p: torch.nn.Parameter) -> tuple[Any, torch.nn.Parameter]:
    """The parameter in other memory, which lays the engine out anew."""
    p.data = p.data.clone()
    return optimizer, p


CHANGES: dict[str, Callable[..., Any]] = {"file": renewed, "copy": copied, "move": moved}
events = st.lists(
    st.lists(st.integers(0, ROWS - 1), max_size=3, unique=True)
    | st.sampled_from(["dense", "none", *CHANGES]),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("kind", [ScheduleFreeAdamW, Adan])
@settings(max_examples=25)
@given(events=events)
def test_sparse_gradients_step_as_rows_do(kind: Any, events: list[Any]) -> None:
    """The bits are those of adamas on arrays, through files, copies and new memory."""
    p = torch.nn.Parameter(torch.linspace(1, 2, 3 * ROWS).reshape(ROWS, 3))
    w = p.detach().numpy().copy()
    optimizer = training(kind([p], lr=0.1, ema=0.75))
    beside = getattr(adamas, kind.__name__)(w, lr=0.1, ema=0.75)
    for event in events:
        if isinstance(event, str) and event in CHANGES:
            optimizer, p = CHANGES[event](optimizer, p)
            continue
        if event == "none":
            p.grad = None
        elif event == "dense":
            p.grad = torch.full((ROWS, 3), 0.5)
            beside.step(np.full((ROWS, 3), 0.5, np.float32))
        else:
            p.grad = rows_of(event)
            beside.step(adamas.Rows(event, np.ones((len(event), 3), np.float32)))
        optimizer.step()
    assert np.array_equal(p.detach().numpy(), w)
    entry = beside.state[0] if beside.steps else {}
    found = dict(optimizer.state.get(p, {}))
    assert found.keys() == entry.keys()
    for name, value in entry.items():
        assert np.array_equal(found[name].numpy(), value), name


def test_rows_that_were_never_seen_average_to_themselves() -> None:
    """The moving average of an embedding's unseen rows is their value, while others move."""
    p = torch.nn.Parameter(torch.full((ROWS, 3), 5.0))
    optimizer = Adam([p], lr=0.1, ema=0.9)
    for named in ([0], [1], [1]):
        p.grad = rows_of(named)
        optimizer.step()
    entry = optimizer.state[p]
    assert torch.equal(entry["average"][2:], torch.full((ROWS - 2, 3), 5.0))
    assert bool((entry["average"][:2] > 4.7).all())
    assert entry["stepped"].tolist() == [True, True] + [False] * (ROWS - 2)
    # Nothing to learn of rows where a rule asks for no first step.
    plain = SGD([torch.nn.Parameter(p.detach().clone())], momentum=0.9)
    (q,) = plain.param_groups[0]["params"]
    q.grad = rows_of([0])
    plain.step()
    assert "stepped" not in plain.state[q]


def test_released_gradients_know_which_rows_were_stepped() -> None:
    """Rows seen during backward passes, and then in ordinary steps, begin once."""
    start = torch.linspace(1, 2, 3 * ROWS).reshape(ROWS, 3)
    tables = [torch.nn.Embedding(ROWS, 3, sparse=True, _weight=start.clone()) for _ in range(2)]
    ours, plain = (training(ScheduleFreeAdamW(t.parameters(), lr=0.1)) for t in tables)

    def train(table: torch.nn.Embedding, optimizer: Any, named: list[int]) -> None:
        optimizer.zero_grad()
        (table(torch.tensor(named)) ** 2).sum().backward()
        optimizer.step()

    with release_gradients(ours):
        for named in ([0, 1], [2], [0, 2]):
            train(tables[0], ours, named)
    for named in ([0, 1], [2], [0, 2]):
        train(tables[1], plain, named)
    for named in ([3], [0, 3, 4]):
        train(tables[0], ours, named)
        train(tables[1], plain, named)
    assert torch.equal(tables[0].weight, tables[1].weight)
    expected = [True] * 5 + [False] * (ROWS - 5)
    for table, optimizer in zip(tables, (ours, plain), strict=True):
        assert optimizer.state[table.weight]["stepped"].tolist() == expected


def test_rows_that_do_not_fit_are_refused() -> None:
    """A loaded word on other rows names the parameter, and nothing changes."""
    p = torch.nn.Parameter(torch.ones(ROWS, 3))
    optimizer = Adan([p], lr=0.1)
    p.grad = rows_of([0])
    optimizer.step()
    saved = optimizer.state_dict()
    saved["state"][0] = {**saved["state"][0], "stepped": torch.ones(ROWS + 1, dtype=torch.bool)}
    before = {key: value.clone() for key, value in optimizer.state[p].items()}
    with pytest.raises(ValueError, match=r"'stepped' of '0.0' is bool\[7\]"):
        optimizer.load_state_dict(saved)
    assert all(torch.equal(value, optimizer.state[p][key]) for key, value in before.items())


def rows_known_after(point: str, monkeypatch: pytest.MonkeyPatch, use: Any) -> list[Any]:
    """What a table is after five steps, the first left by an exception at a place after its sweep.

    `use` looks at the optimizer then and may return another one for the same table.
    """
    p = torch.nn.Parameter(torch.linspace(1, 2, 3 * ROWS).reshape(ROWS, 3))
    optimizer = Adan([p], lr=0.1, ema=0.75)
    p.grad = rows_of([0])
    if point:

        def stop(*_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(adamas.torch.driver.Driver, point, stop)
            with pytest.raises(KeyboardInterrupt):
                optimizer.step()
        optimizer, p = use(optimizer, p)
    else:
        optimizer.step()
    for named in ([1], [0, 2], [1, 3], [0, 1]):
        p.grad = rows_of(named)
        optimizer.step()
    return [p.detach(), optimizer.state[p]["average"], optimizer.state[p]["stepped"]]


@pytest.mark.parametrize("change", CHANGES)
def test_interrupted_after_a_step(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows begin once, whatever is done after an exception between a step and its last word."""
    right = rows_known_after("", monkeypatch, None)
    found = rows_known_after("_publish", monkeypatch, CHANGES[change])
    assert all(map(torch.equal, found, right))


def test_interrupted_while_it_is_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception where the engine is laid out anew leaves the state in its place, and whole."""
    p, q = (torch.nn.Parameter(torch.ones(ROWS, 3)) for _ in range(2))
    optimizer, twin = Adam([p, q], lr=0.1), Adam([torch.nn.Parameter(torch.ones(ROWS, 3))], lr=0.1)
    (alone,) = twin.param_groups[0]["params"]
    p.grad = alone.grad = torch.ones(ROWS, 3)
    optimizer.step()
    twin.step()
    q.grad = torch.ones(ROWS, 3)
    stops = 0
    for number in range(10_000):
        left = number

        def trace(frame: Any, event: str, _: Any) -> Any:
            nonlocal left
            if frame.f_code is not adamas.torch.driver.Driver.rebuild.__wrapped__.__code__:
                return None
            left -= event == "line"
            if left < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            optimizer._driver.rebuild(optimizer.state)
        except KeyboardInterrupt:
            stops += 1
        finally:
            sys.settrace(None)
        for key, value in twin.state[alone].items():
            assert torch.equal(optimizer.state[p][key], value), (number, key)
        if stops <= number:
            break
    assert stops > 15
    optimizer.step()
    twin.step()
    assert torch.equal(p, alone)

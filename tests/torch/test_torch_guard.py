"""A gradient that is not finite leaves its block as it was, and everything else is stepped."""

import copy
import math
from itertools import product
from typing import Any

import pytest
import torch
from torch import nn

import adamas.torch
from adamas import NonFiniteError
from adamas.torch import SGD, AdamW, release_gradients, tensor_engine
from adamas.torch.formulas import TensorFormula
from long_form import sampled
from torch_table import CLASSES

BLOCK = 128
FORMS: dict[str, tuple[torch.dtype, dict[str, Any]]] = {
    "float32": (torch.float32, {"ema": 0.9}),
    "double": (torch.float64, {}),
    "complex": (torch.complex64, {}),
    "bfloat16": (torch.float32, {"state": "bfloat16"}),
    "int8": (torch.float32, {"state": lambda name, array: "int8"}),
    "int4": (torch.float32, {"state": lambda name, array: "int4"}),
    "master 8": (torch.bfloat16, {"master": 8}),
    "master 16": (torch.bfloat16, {"master": 16, "zero_grad_in_step": True}),
    "rounded": (torch.bfloat16, {"maximize": True}),
}
CODED = {"bfloat16", "int8", "int4", "master 8", "master 16", "rounded"}
# Those that are kept on other devices.
HERE = [form for form in FORMS if not form.startswith("int")]
# The shape, and the axes from the slowest in memory to the fastest.
LAYOUTS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "vector": ((300,), (0,)),
    "rows": ((5, 201), (0, 1)),
    "narrow rows": ((70, 5), (0, 1)),
    "channels last": ((3, 50, 2, 2), (0, 2, 3, 1)),
    "strided copy": ((5, 201), (0, 1)),
}
# Of the elements in memory: first, two of one byte, both sides of an edge, a ragged end.
PLACES = (0, 10, 11, 127, 128, 200, 201, -1)


def adamw(anywhere: bool = False) -> type[AdamW]:
    """The class, or as it works on a device that has no kernels."""
    return type("AdamW", (AdamW,), {"_anywhere": anywhere})


def ordered(shape: tuple[int, ...], axes: tuple[int, ...], values: torch.Tensor) -> torch.Tensor:
    """Numbers given in the order of memory, as a tensor that lies so."""
    dense = values.reshape([shape[axis] for axis in axes])
    return dense.permute([axes.index(axis) for axis in range(len(axes))])


def blocks(form: str, layout: str, anywhere: bool) -> torch.Tensor:
    """The number of the block of every element."""
    shape, axes = LAYOUTS[layout]
    size, first = math.prod(shape), shape[0]
    flat, width = torch.arange(size), size // first
    if anywhere:
        found = flat
    elif form in CODED and len(shape) > 1 and width >= BLOCK // 2:
        found = flat // width * 100 + flat % width // BLOCK
    else:
        found = flat // (BLOCK // 2 if form == "complex" else BLOCK)
    return ordered(shape, axes, found)


def drawn(form: str, layout: str, seed: int) -> torch.Tensor:
    """Random numbers in a layout, and in the dtype of a form."""
    shape, axes = LAYOUTS[layout]
    random = torch.Generator().manual_seed(seed)
    values = torch.randn(math.prod(shape), generator=random, dtype=torch.float64)
    return ordered(shape, axes, values.to(FORMS[form][0]))


def numbers(opt: Any, p: nn.Parameter) -> dict[str, torch.Tensor]:
    """The parameter, its state as numbers, and its correction bits; copies."""
    kept = {"p": p.detach(), **opt.values(p)}
    if "p.rest" in opt.state[p]:
        kept["p.rest"] = opt.state[p]["p.rest"]
    return {name: value.clone() for name, value in kept.items()}


def begun(form: str, layout: str, anywhere: bool) -> tuple[Any, nn.Parameter, Any]:
    """An optimizer after one step, its parameter with another gradient, and what both hold."""
    p = nn.Parameter(drawn(form, layout, 1))
    opt = adamw(anywhere)([("w", p)], lr=0.01, **FORMS[form][1])
    p.grad = drawn(form, layout, 2)
    opt.step()
    before = numbers(opt, p)
    p.grad = drawn(form, layout, 3)
    if layout == "strided copy":
        p.grad = p.grad.t().contiguous().t()
    return opt, p, before


WAYS = [*product(FORMS, LAYOUTS, [False]), *product(HERE, LAYOUTS, [True])]


@pytest.mark.parametrize(("form", "layout", "anywhere"), sampled(WAYS, 24))
def test_exactly_its_block_is_left(form: str, layout: str, anywhere: bool) -> None:
    """Wherever a NaN stands, its block keeps its bits; the others get those of a finite step."""
    ids = blocks(form, layout, anywhere)
    shape, axes = LAYOUTS[layout]
    flat = torch.arange(math.prod(shape))
    opt, p, before = begun(form, layout, anywhere)
    opt.step()
    stepped = numbers(opt, p)
    zeroed, twice = FORMS[form][1].get("zero_grad_in_step", False), form == "complex"
    for count, place in enumerate(PLACES):
        spot = ordered(shape, axes, flat == place % len(flat))
        left = ids == ids[spot]
        opt, p, _ = begun(form, layout, anywhere)
        assert p.grad is not None
        part = torch.view_as_real(p.grad)[..., count % 2] if twice else p.grad
        part[spot] = (math.nan, math.inf, -math.inf)[count % 3]
        given = p.grad.clone()
        with pytest.raises(NonFiniteError, match="'w' holds") as raised:
            opt.step()
        assert raised.value.left == int(left.sum()) * (2 if twice else 1)
        kept = torch.where(left, given, 0) if zeroed else given
        assert torch.equal(p.grad.nan_to_num(7.0), kept.nan_to_num(7.0))
        assert int(opt.state[p]["step"]) == 2
        for name, value in numbers(opt, p).items():
            assert torch.equal(value, torch.where(left, before[name], stepped[name])), name


@pytest.mark.parametrize("anywhere", [False, True], ids=["kernels", "tensors"])
def test_what_is_nan_throughout_changes_nothing(anywhere: bool) -> None:
    """Of two tensors one is NaN throughout: it takes no step, the other one does.

    Nor does one without elements, of which nothing moved either.
    """
    good, bad, empty = (nn.Parameter(torch.ones(n)) for n in (200, 300, 0))
    opt = adamw(anywhere)([("good", good), ("bad", bad), ("empty", empty)])
    for p in (good, bad, empty):
        p.grad = torch.full_like(p, torch.nan if p is bad else 1.0)
    with pytest.raises(NonFiniteError, match=r"'bad' holds nan at \[0\]; 300 elements of 1 tensor"):
        opt.step()
    assert bool((bad == 1).all())
    assert not opt.state[bad]["exp_avg"].any()
    assert [int(opt.state[p]["step"]) for p in (good, bad, empty)] == [1, 0, 0]
    assert bool((good < 1).all())
    good.grad.fill_(torch.nan)
    with pytest.raises(NonFiniteError, match="nothing else had a gradient"):
        opt.step()
    assert [int(opt.state[p]["step"]) for p in (good, bad)] == [1, 0]


@pytest.mark.parametrize("anywhere", [False, True], ids=["kernels", "tensors"])
@pytest.mark.parametrize("how", ["guard", "clip_norm", "raise", "skip"])
def test_a_finite_gradient_that_overflows_is_bad(how: str, anywhere: bool) -> None:
    """A scaled gradient beyond float32 is refused by name, and nothing infinite gets in."""
    p = nn.Parameter(torch.ones(200))
    options = {"clip_norm": 1e60} if how == "clip_norm" else {"on_nonfinite": how}
    opt = adamw(anywhere)([("w", p)], maximize=anywhere, **options)
    p.grad = torch.ones(200)
    p.grad[150] = 2.0**120
    # As a GradScaler hands it over; the gradient is divided by it.
    opt.grad_scale, opt.found_inf = torch.tensor(2.0**-10), torch.tensor(0.0)
    before = p.detach().clone()
    if how == "skip":
        opt.step()
        assert opt.skipped == 1
    else:
        with pytest.raises(NonFiniteError, match=r"at \[150\], which times 1024 overflows") as at:
            opt.step()
        assert (at.value.left > 0) == (how == "guard")
    moved = p.detach() != before
    assert bool(moved[:128].all()) == (how == "guard")
    assert not moved[150]
    assert all(bool(v.isfinite().all()) for v in opt.state[p].values())


@pytest.mark.parametrize("anywhere", [False, True], ids=["kernels", "tensors"])
@pytest.mark.parametrize("how", ["guard", "clip_norm", "raise", "skip"])
def test_a_factor_beyond_float32_is_bad(how: str, anywhere: bool) -> None:
    """Zeros times a factor that float32 cannot hold are NaN: refused by name, and nothing moves."""
    p = nn.Parameter(torch.ones(200))
    options = {"clip_norm": 1.0} if how == "clip_norm" else {"on_nonfinite": how}
    opt = adamw(anywhere)([("w", p)], **options)
    p.grad = torch.zeros(200)
    opt.grad_scale, opt.found_inf = torch.tensor(1e-39, dtype=torch.float64), torch.tensor(0.0)
    if how == "skip":
        opt.step()
        assert opt.skipped == 1
    else:
        with pytest.raises(NonFiniteError, match=r"at \[0\], which times 1e\+39 overflows"):
            opt.step()
    assert bool((p == 1).all())
    assert all(bool(v.isfinite().all()) for v in opt.state[p].values())


@pytest.mark.parametrize("anywhere", [False, True], ids=["kernels", "tensors"])
def test_gradients_are_divided_by_a_positive_number(anywhere: bool) -> None:
    """A scale that gradients cannot be divided by is refused before anything is changed."""
    p = nn.Parameter(torch.ones(3))
    opt = adamw(anywhere)([p])
    p.grad = torch.ones(3)
    opt.found_inf = torch.tensor(0.0)
    for scale in (0.0, -1.0, math.inf, math.nan):
        opt.grad_scale = torch.tensor(scale)
        with pytest.raises(ValueError, match="loss_scale"):
            opt.step()
    assert bool((p == 1).all())


@pytest.mark.parametrize("anywhere", [False, True], ids=["kernels", "tensors"])
def test_where_gradients_are_read_first_nothing_is_changed(anywhere: bool) -> None:
    """With a limit on the norm, or "raise", the error says that nothing moved, and nothing did."""
    for options in ({"clip_norm": 1.0}, {"on_nonfinite": "raise"}):
        p = nn.Parameter(torch.ones(300))
        opt = adamw(anywhere)([("w", p)], zero_grad_in_step=True, **options)
        p.grad = torch.ones(300)
        p.grad[299] = torch.inf
        version = p._version
        with pytest.raises(NonFiniteError, match=r"inf at \[299\]; nothing was changed") as raised:
            opt.step()
        assert raised.value.left == 0
        assert opt.grad_norm == math.inf
        assert p._version == version
        assert bool((p == 1).all())
        assert int(opt.state[p]["step"]) == 0
        assert p.grad[0] == 1


# Prodigy has kernels only.
@pytest.mark.parametrize("anywhere", [False, True], ids=["kernels", "tensors"])
@pytest.mark.parametrize("name", [name for name in CLASSES if name != "Prodigy"])
def test_a_first_step_that_sets_something_up_is_whole_or_not_at_all(
    name: str, anywhere: bool
) -> None:
    """Rules that begin with their first gradient get it from every element, or wait.

    So do those that sum over the tensor.
    """
    made = getattr(adamas.torch, name)
    p = nn.Parameter(torch.ones(300))
    opt = type(name, (made,), {"_anywhere": anywhere})([("w", p)])
    if hasattr(opt, "train"):
        opt.train()
    before = p.detach().clone()
    p.grad = torch.ones(300)
    p.grad[0] = torch.nan
    with pytest.raises(NonFiniteError) as raised:
        opt.step()
    whole = TensorFormula(opt.formula).asks_first
    assert (raised.value.left == 0) == whole
    waits = whole or bool(opt.formula.over)
    assert int(opt.state[p]["step"]) == (not waits)
    assert torch.equal(p[:1], before[:1])
    if waits:
        assert torch.equal(p, before)


def test_what_follows_a_step_follows_one_with_an_error() -> None:
    """Autograd sees the change, rows that are not named take their step, wrappers hear of none."""
    weight = nn.Parameter(torch.ones(300))
    loss = (weight**2).sum()
    opt = SGD([weight])
    weight.grad = torch.ones(300)
    weight.grad[0] = torch.nan
    with pytest.raises(NonFiniteError):
        opt.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    assert opt.skipped == 0


@pytest.mark.parametrize("rows", ["lazy", "exact", None])
def test_rows_of_sparse_gradients(rows: str | None) -> None:
    """A bad row stays as it was while others move; rows that remember their steps take none."""
    table = nn.Embedding(6, 200, sparse=True)
    other = nn.Parameter(torch.ones(4))
    opt = AdamW([("t", table.weight), ("other", other)], rows=rows, lr=0.1)
    for bad in (False, True):
        opt.zero_grad()
        before = table.weight.detach().clone()
        table(torch.tensor([1, 4])).sum().backward()
        other.grad = torch.ones(4)
        if bad:
            table.weight.grad._values()[1, 150] = torch.nan
            with pytest.raises(NonFiniteError, match=r"\[4, 150\]"):
                opt.step()
        else:
            opt.step()
    assert int(opt.state[other]["step"]) == 2
    assert int(opt.state[table.weight]["step"]) == (1 if rows == "exact" else 2)
    if rows == "exact":
        opt.sync()
    moved = table.weight.detach() != before
    # Without gradients an average of earlier ones still moves a row.
    assert not moved[4, 128:].any()
    assert bool(moved[1].all()) == (rows != "exact")
    assert bool(moved[4, :128].all()) == (rows != "exact")


def test_released_gradients() -> None:
    """The error comes out of backward(): finite blocks have moved, and the gradient is freed."""
    net = nn.Sequential(nn.Linear(5, 40), nn.Linear(40, 3))
    opt = AdamW(net.named_parameters(), lr=0.1)
    x = torch.ones(2, 5)
    with release_gradients(opt):
        before = copy.deepcopy(net.state_dict())

        def spoil(g: torch.Tensor) -> torch.Tensor:
            made = g.clone()
            made[39, 0] = torch.nan
            return made

        hook = net[0].weight.register_hook(spoil)
        with pytest.raises(NonFiniteError, match=r"'0\.weight' holds nan at \[39, 0\]") as raised:
            net(x).square().sum().backward()
        assert raised.value.left == 200 - BLOCK
        hook.remove()
        moved = (net[0].weight.detach() != before["0.weight"]).flatten()
        assert moved.tolist() == [True] * BLOCK + [False] * (200 - BLOCK)
        assert net[0].weight.grad is None
        assert int(opt.state[net[0].weight]["step"]) == 1
        opt.zero_grad()
        opt.step()
        net(x).square().sum().backward()
        opt.step()
        assert int(opt.state[net[0].weight]["step"]) == 2


@pytest.mark.parametrize("anywhere", [False, True], ids=["kernels", "tensors"])
def test_the_norm_is_told_if_asked_for(anywhere: bool) -> None:
    """`track_norm` tells the norm of all gradients without a limit; else nobody reads them."""
    for track in (True, False):
        p, q = nn.Parameter(torch.ones(300)), nn.Parameter(torch.ones(20, dtype=torch.complex64))
        opt = adamw(anywhere)([p, q], track_norm=track)
        p.grad, q.grad = torch.full((300,), 2.0), torch.full((20,), 3.0 - 4.0j)
        opt.step()
        expected = math.sqrt(4 * 300 + 25 * 20) if track else math.nan
        assert opt.grad_norm == pytest.approx(expected, rel=1e-6, nan_ok=True)
    with pytest.raises(ValueError, match="track_norm='yes'"):
        AdamW([p], track_norm="yes")
    with pytest.raises(TypeError, match="track_norm"):
        AdamW([{"params": [p], "track_norm": True}])


def test_devices_are_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tensors there are, a step away from the CPU asks its device for numbers once."""
    asked: list[int] = []
    fetched = tensor_engine.fetched
    monkeypatch.setattr(tensor_engine, "fetched", lambda ns: asked.append(len(ns)) or fetched(ns))
    params = [nn.Parameter(torch.ones(3)) for _ in range(5)]
    opt = adamw(True)(params)
    for p in params:
        p.grad = torch.ones(3)
    opt.step()
    assert asked == [5]


@pytest.mark.parametrize(("size", "limit"), [(1e30, 1.0), (2e38, 0.01)])
def test_squares_that_overflow_are_clipped_elsewhere_too(size: float, limit: float) -> None:
    """Four equal float32 gradients have twice their norm; each is scaled to half the limit.

    Also where float32 would hold that factor with few digits.
    """
    p = nn.Parameter(torch.zeros(4))
    opt = type("SGD", (SGD,), {"_anywhere": True})([p], lr=1.0, clip_norm=limit)
    p.grad = torch.full((4,), size)
    opt.step()
    torch.testing.assert_close(p.detach(), torch.full((4,), -limit / 2))
    assert opt.grad_norm == pytest.approx(2 * size)

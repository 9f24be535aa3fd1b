"""An optimizer of adamas.torch goes on from a file, its own or that of an optimizer of arrays."""

import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adamas
import adamas.torch
from adamas.files.checkpoint import Checkpoint
from adamas.torch import files
from long_form import LONG
from mutated_files import bytewise, documents, headers

Made = Callable[[Any], torch.optim.Optimizer]


def model(out: int = 3, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    """A small network with names, always the same."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(70, 80), torch.nn.Linear(80, out)).to(dtype)


def train(net: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    """Some of the steps of a run; the data of a step depend on its number alone."""
    for step in steps:
        x = torch.randn(4, 70, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        net(x.to(next(net.parameters()).dtype)).square().sum().backward()
        optimizer.step()


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether two networks are the same to the last bit."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def muon(net: torch.nn.Module) -> torch.optim.Optimizer:
    """Matrices and vectors by rules of their own."""
    routes = {"bias|1\\.": "adamw", "": {"rule": "muon", "lr": 0.01}}
    return adamas.torch.AdamW(net.named_parameters(), routes=routes, state="int8")


CASES: dict[str, tuple[Made, torch.dtype]] = {
    "float32": (lambda net: adamas.torch.AdamW(net.named_parameters(), ema=0.9), torch.float32),
    "int8": (lambda net: adamas.torch.AdamW(net.named_parameters(), state="int8"), torch.float32),
    "bfloat16": (
        lambda net: adamas.torch.AdamW(net.named_parameters(), state="bfloat16", master=8),
        torch.bfloat16,
    ),
    "places": (lambda net: adamas.torch.Adam(net.parameters(), amsgrad=True), torch.float64),
    "routes": (muon, torch.float32),
    "late": (
        lambda net: adamas.torch.SGD(net.named_parameters(), lr=0.01, momentum=0.9),
        torch.float32,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_goes_on_bit_for_bit(case: str, tmp_path: Path) -> None:
    """Steps before and after a file are those of one run, for names and places, and many rules."""
    make, dtype = CASES[case]
    whole, first, second = (model(dtype=dtype) for _ in range(3))
    one, before = make(whole), make(first)
    train(whole, one, range(4))
    train(first, before, range(2))
    adamas.save(tmp_path / "a.safetensors", before, first.state_dict(), {"epoch": 2})
    after: Any = make(second)
    file = after.load(tmp_path / "a.safetensors")
    second.load_state_dict(file.params)
    train(second, after, range(2, 4))
    assert same(whole, second) and file.extra == {"epoch": 2} and file.steps == 2
    assert repr(one.param_groups) == repr(after.param_groups)


def of_files() -> int:
    """How many bytes of files are in this process' memory; 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[2]) * mmap.PAGESIZE if statm.exists() else 0


def test_loading_lets_go_of_the_file_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State of 24 MB never stands beside as much of its file; parameters go a tensor at a time."""
    p = torch.nn.Parameter(torch.ones(1500, 2000))
    optimizer = adamas.torch.AdamW([("p", p)])
    p.grad = torch.arange(3e6).view(1500, 2000)
    optimizer.step()
    before = {key: value.clone() for key, value in optimizer.state[p].items()}
    optimizer.save(tmp_path / "f", {"p": p})
    monkeypatch.setattr(Checkpoint, "let_go", lambda file: None)
    mapped = of_files()
    file = optimizer.load(tmp_path / "f")
    assert of_files() - mapped < 8_000_000
    assert all(torch.equal(optimizer.state[p][key], value) for key, value in before.items())
    monkeypatch.undo()
    assert torch.equal(file.params["p"], p)
    file.let_go()
    assert of_files() - mapped < 8_000_000


def test_the_order_of_parameters_is_repaired(tmp_path: Path) -> None:
    """Parameters in another order, and behind a wrapper, are found by their names."""
    first, second = model(), model()
    one = adamas.torch.AdamW(first.named_parameters())
    train(first, one, range(2))
    one.save(tmp_path / "a")
    turned = [(f"_orig_mod.{name}", p) for name, p in reversed(list(second.named_parameters()))]
    other = adamas.torch.AdamW(turned)
    other.load(tmp_path / "a")
    for p, q in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one.state[p]["exp_avg"], other.state[q]["exp_avg"])


@pytest.mark.parametrize("state", ["float32", "bfloat16", "int8"])
def test_files_go_between_arrays_and_tensors(state: Any, tmp_path: Path) -> None:
    """A file of tensors loads beside arrays of the same names, and back, bit for bit."""
    first, second = model(), model()
    one = adamas.torch.AdamW(first.named_parameters(), state=state, lr=0.25)
    train(first, one, range(3))
    one.save(tmp_path / "t", first.state_dict())
    arrays = {name: np.zeros(p.shape, np.float32) for name, p in first.named_parameters()}
    here = adamas.AdamW(arrays, state=state)
    here.load(tmp_path / "t")
    assert here.steps == 3 and here.param_groups[0]["lr"] == 0.25
    here.save(tmp_path / "n")
    other = adamas.torch.AdamW(second.named_parameters(), state=state)
    other.load(tmp_path / "n")
    second.load_state_dict(adamas_params(tmp_path / "t", other))
    train(first, one, range(3, 5))
    train(second, other, range(3, 5))
    assert same(first, second)


def adamas_params(path: Path, optimizer: Any) -> dict[str, torch.Tensor]:
    """The parameters in a file, as tensors."""
    return dict(optimizer.load(path).params)


def test_another_rule_of_another_home_is_refused(tmp_path: Path) -> None:
    """Where the rule is another, a file of the other home says so, and nothing changes."""
    net = model()
    one = adamas.torch.RMSprop(net.named_parameters())
    train(net, one, range(1))
    one.save(tmp_path / "t")
    here = adamas.AdamW({name: np.ones(p.shape) for name, p in net.named_parameters()})
    with pytest.raises(ValueError, match=r"/t': .*rmsprop"):
        here.load(tmp_path / "t")
    here.save(tmp_path / "n")
    with pytest.raises(ValueError, match=r"/n': .*adamw"):
        one.load(tmp_path / "n")
    assert here.steps == 0 and len(one.state_dict()["state"]) == 4


def test_groups_without_names(tmp_path: Path) -> None:
    """Parameters without names are called by their places among all groups; what fits is loaded."""

    def made(net: torch.nn.Module, lr: float) -> Any:
        every = list(net.parameters())
        return adamas.torch.Adam([{"params": every[:1], "lr": lr}, {"params": every[2:]}])

    first, second = model(3), model(4)
    one, other = made(first, 0.5), made(second, 0.25)
    train(first, one, range(2))
    one.save(tmp_path / "a")
    file = other.load(tmp_path / "a", strict=False)
    assert file.misshapen == [1, 2] and other.param_groups[0]["lr"] == 0.5
    assert other.state_dict()["state"].keys() == {0}


def test_what_fits_is_loaded(tmp_path: Path) -> None:
    """All that does not fit is one error; without `strict` the rest is loaded, and said."""
    first, second = model(3), model(4)
    one = adamas.torch.AdamW(first.named_parameters(), lr=0.5)
    train(first, one, range(2))
    one.save(tmp_path / "a")
    other = adamas.torch.AdamW(
        [*second.named_parameters(), ("more", torch.nn.Parameter(torch.ones(2)))]
    )
    with pytest.raises(
        ValueError, match=r"/a': it lacks 'more'; '1.weight' is \[3, 80\], here \[4"
    ):
        other.load(tmp_path / "a")
    assert not other.state_dict()["state"]
    file = other.load(tmp_path / "a", strict=False)
    assert (file.missing, file.unknown, file.misshapen) == (["more"], [], ["1.weight", "1.bias"])
    assert other.param_groups[0]["lr"] == 0.5 and other.state_dict()["state"].keys() == {0, 1}
    p, q = next(first.parameters()), next(second.parameters())
    assert torch.equal(other.state[q]["exp_avg"], one.state[p]["exp_avg"])


KINDS = [*files.DTYPES.values(), torch.complex128]


@pytest.mark.parametrize("here", [{"cpu"}, {}])
def test_tensors_of_every_kind_come_back(
    here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every dtype, views and conjugates are in the file as they are, and for its library too.

    So are those that are copied from another device, a few bytes at a time.
    """
    monkeypatch.setattr(files, "HERE", here)
    monkeypatch.setattr(files, "PIECE", 16)
    every = {str(dtype): torch.arange(6).reshape(2, 3).to(dtype).T for dtype in KINDS}
    every |= {"conj": (torch.ones(2, dtype=torch.complex64) * 1j).conj(), "none": torch.ones(0, 3)}
    optimizer = adamas.torch.SGD([torch.nn.Parameter(torch.ones(2))])
    optimizer.save(tmp_path / "a", every)
    found = optimizer.load(tmp_path / "a").params
    there = safetensors.torch.load_file(tmp_path / "a")
    for name, value in every.items():
        assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
        one, other = found[name].resolve_conj(), value.resolve_conj()
        # No comparison of floats of 8 bits.
        pair = [one, other] if value.dtype.itemsize > 1 else [one.double(), other.double()]
        assert torch.equal(*pair)
        if value.dtype != torch.complex128:
            assert there[name].dtype == value.dtype and there[name].shape == value.shape


def test_tensors_that_no_file_can_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors without memory here, sparse ones and parts of tensors are refused by name."""
    optimizer = adamas.torch.SGD([torch.nn.Parameter(torch.ones(2))])
    for odd in (torch.ones(2, device="meta"), torch.eye(2).to_sparse()):
        with pytest.raises(TypeError, match=r"params\['w'\] is a .*which files cannot hold"):
            optimizer.save(tmp_path / "a", {"w": odd})
    monkeypatch.setattr(files, "sharded", lambda value: True)
    with pytest.raises(TypeError, match=r"is a DTensor.*torch\.distributed\.checkpoint"):
        optimizer.save(tmp_path / "a", {"w": torch.ones(2)})
    with pytest.raises(TypeError, match="is no optimizer that adamas saves"):
        adamas.save(tmp_path / "a", torch.optim.SGD([torch.nn.Parameter(torch.ones(2))]))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a file of two rules."""
    place = tmp_path_factory.mktemp("files") / "a"
    net = small()
    optimizer = adamas.torch.AdamW(net.named_parameters(), routes={"w": "lion", "": "adamw"})
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    optimizer.save(place, extra={"t": torch.ones(2)})
    return place.read_bytes()


def small() -> torch.nn.Module:
    """A network of a few numbers."""
    return torch.nn.Linear(2, 2)


@pytest.mark.parametrize("spoilt", [bytewise, headers, documents])
@settings(max_examples=1500 if LONG else 25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_spoilt_files(
    spoilt: Any, data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever byte, number or word of a file is wrong: one line with its path, and no change."""
    place = tmp_path_factory.getbasetemp() / "spoilt-torch"
    place.write_bytes(data.draw(spoilt(whole)))
    optimizer = adamas.torch.AdamW(small().named_parameters(), routes={"w": "lion", "": "adamw"})
    before = repr(optimizer.state_dict())
    try:
        optimizer.load(place, strict=data.draw(st.booleans()))
    except ValueError as error:
        said = str(error)
    else:
        said = ""
    assert not said or repr(optimizer.state_dict()) == before
    assert not said or (said.startswith(repr(str(place))) and "\n" not in said and len(said) < 1500)

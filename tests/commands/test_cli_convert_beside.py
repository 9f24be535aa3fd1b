"""What `adamas convert` does with what a file holds beside the state of an optimizer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

import adamas
import adamas.torch
from adamas import cli
from adamas.others import torch_file

Captured = pytest.CaptureFixture[str]


def converted(*words: Any) -> int:
    """The exit code of the command."""
    return cli.main(["convert", *map(str, words)])


def stepped(kind: Any) -> tuple[torch.nn.Module, Any]:
    """A layer and its optimizer, which has made a step."""
    layer = torch.nn.Linear(2, 3)
    optimizer = kind(layer.named_parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return layer, optimizer


def filed(place: Path) -> dict[str, torch.Tensor]:
    """A file of adamas.torch with weights in several formats, and what was put into it."""
    layer, optimizer = stepped(adamas.torch.AdamW)
    params = {
        **layer.state_dict(),
        "half": torch.arange(4, dtype=torch.bfloat16),
        "short": torch.tensor([5, 6], dtype=torch.uint16),
        "eight": torch.ones(3, dtype=torch.float8_e4m3fn),
        "turning": torch.tensor([1 + 2j], dtype=torch.complex128),
    }
    optimizer.save(place, params=params, extra={"epoch": 3, "best": torch.ones(2).bfloat16()})
    return params


@pytest.mark.parametrize("target", ["adamas", "adamas.torch.AdamW", "optax.adamw(1e-3)"])
def test_params_and_extra_go_along(target: str, tmp_path: Path) -> None:
    """Every tensor comes out as it was put in, by safetensors' own reader, into each library's."""
    here, there = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    wanted = filed(here)
    assert converted(here, there, "--to", target) == 0
    before, after = map(safetensors.torch.load_file, (here, there))
    for name in wanted:
        assert after[name].dtype == before[name].dtype and after[name].shape == before[name].shape
        assert after[name].view(torch.uint8).equal(before[name].view(torch.uint8)), name
    found = adamas.torch.AdamW(torch.nn.Linear(2, 3).named_parameters()).load(there)
    assert found.params["weight"].equal(wanted["weight"])
    assert found.params["turning"].equal(wanted["turning"])
    assert found.extra["epoch"] == 3 and found.extra["best"].equal(torch.ones(2).bfloat16())


def test_a_file_is_converted_in_its_place(tmp_path: Path) -> None:
    """`--force` over the file itself, to fewer bits, keeps the weights of the model."""
    here = tmp_path / "a.safetensors"
    wanted = filed(here)
    assert converted(here, here, "--force", "--state", "bfloat16") == 0
    assert adamas.open_file(here).extra["epoch"] == 3
    found = safetensors.torch.load_file(here)
    assert found["weight"].equal(wanted["weight"])
    assert found["state/weight/exp_avg"].dtype == torch.bfloat16


def test_params_are_renamed_as_the_state_is(tmp_path: Path) -> None:
    """`--names` gives params the names and the layouts of the state; what it leaves out stays."""
    here, there = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    wanted = filed(here)
    names = json.dumps({"weight": ["kernel", "T"], "bias": None})
    assert converted(here, there, "--to", "adamas", "--names", names) == 0
    file = adamas.open_file(there)
    np.testing.assert_array_equal(file.params["kernel"], wanted["weight"].numpy().T)
    assert list(file.parameters) == ["kernel"] and "bias" in file.params
    names = json.dumps({"weight": "bias", "bias": None})
    assert converted(here, there, "--to", "adamas", "--names", names, "--force") == 1
    assert adamas.open_file(there).params.keys() >= {"kernel"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_left_behind_is_said(language: str, tmp_path: Path, capsys: Captured) -> None:
    """A target without a place for it says so, and is not written over its source."""
    here, there = tmp_path / "a.safetensors", tmp_path / "b.pt"
    filed(here)
    assert converted(here, there, "--lang", language) == 0
    said = capsys.readouterr().out
    assert said.rstrip().endswith("params (6 arrays), extra") and said.count("\n") == 1
    layer, optimizer = stepped(torch.optim.AdamW)
    whole = {"model": layer.state_dict(), "run": {"optimizer": optimizer.state_dict(), "epoch": 3}}
    torch.save(whole, there)
    before = there.read_bytes()
    link = tmp_path / "c.pt"
    link.symlink_to(there)
    for place in (there, link):
        assert converted(there, place, "--force", "--lang", language) == 1
        said = capsys.readouterr().err
        assert "model, run/epoch" in said and said.count("\n") == 1
        assert (language == "zh") == ("丢失" in said)
    torch.save(layer.state_dict(), tmp_path / "m.pt")
    words = ["--params", tmp_path / "m.pt", "--force", "--lang", language]
    assert converted(there, tmp_path / "m.pt", *words) == 1
    assert "--params" in capsys.readouterr().err
    assert torch.load(tmp_path / "m.pt")["bias"].equal(layer.bias)
    assert there.read_bytes() == before
    assert converted(there, tmp_path / "d.safetensors", "--json") == 0
    assert json.loads(capsys.readouterr().out)["left"] == ["model", "run/epoch"]
    torch.save({"runs": [4, {"a/b": optimizer.state_dict(), "c": 1}]}, tmp_path / "l.pt")
    assert converted(tmp_path / "l.pt", tmp_path / "e.safetensors", "--json") == 0
    assert json.loads(capsys.readouterr().out)["left"] == ["runs/0", "runs/1/c"]
    assert converted(tmp_path / "l.pt", tmp_path / "l.pt", "--force") == 1


@pytest.mark.parametrize("old", [False, True])
def test_numbers_of_numpy_are_read(old: bool, tmp_path: Path, capsys: Captured) -> None:
    """A best loss, or a rate, that NumPy computed is a number, in whatever order its bytes are."""
    _, optimizer = stepped(torch.optim.AdamW)
    optimizer.param_groups[0]["lr"] = np.float64(0.25)
    best = [np.float32(2.5), np.int64(-3), np.bool_(True), np.dtype(">f8").type(7)]
    swapped = np.array(1.5, ">f8")[()]
    whole = {"optimizer": optimizer.state_dict(), "best": [*best, swapped]}
    torch.save(whole, tmp_path / "c.pt", _use_new_zipfile_serialization=not old)
    there = tmp_path / "r.safetensors"
    assert converted(tmp_path / "c.pt", there, "--to", "adamas") == 0
    layer = {"weight": np.ones((3, 2), np.float32), "bias": np.ones(3, np.float32)}
    found = adamas.AdamW(layer)
    found.load(there)
    assert found.param_groups[0]["lr"] == 0.25
    read = torch_file.loaded(str(tmp_path / "c.pt"))["best"]
    assert read == [2.5, -3, True, 7.0, 1.5] and {type(one) for one in read} == {float, int, bool}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("value", [np.ones(2), np.str_("x"), np.array([{}], object)])
def test_what_else_numpy_has_is_told(
    value: Any, language: str, tmp_path: Path, capsys: Captured
) -> None:
    """Arrays and texts of NumPy are refused in a line that says what to save instead."""
    _, optimizer = stepped(torch.optim.AdamW)
    torch.save({"optimizer": optimizer.state_dict(), "best": value}, tmp_path / "c.pt")
    words = [tmp_path / "c.pt", tmp_path / "r.safetensors", "--lang", language]
    assert converted(*words) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "NumPy" in said and "float(x)" in said
    assert ("存成" in said) == (language == "zh")

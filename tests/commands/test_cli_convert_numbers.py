"""A checkpoint of `model.parameters()`, whose parameters have numbers, gets the model's names."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import adamas
import adamas.torch
from adamas import cli

Captured = pytest.CaptureFixture[str]


def converted(*words: Any) -> int:
    """The exit code of the command."""
    return cli.main(["convert", *map(str, words)])


def run(norm: bool = True) -> tuple[torch.nn.Module, Any]:
    """A model with buffers, and its optimizer without names after a step."""
    torch.manual_seed(0)
    between = [torch.nn.BatchNorm1d(3)] if norm else []
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), *between, torch.nn.Linear(3, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    stepped(model, optimizer)
    return model, optimizer


def stepped(model: Any, optimizer: Any) -> None:
    """One step on a loss that is always the same."""
    optimizer.zero_grad()
    (model(torch.arange(8.0).reshape(4, 2)) - 1).square().sum().backward()
    optimizer.step()


@pytest.mark.parametrize("words", [[], ["--params", "model.pt"]])
def test_names_are_those_of_the_model(words: list[str], tmp_path: Path, capsys: Captured) -> None:
    """In NumPy every moment stands under the name of its parameter, from either file."""
    model, optimizer = run()
    whole = {"optimizer": optimizer.state_dict()} | ({} if words else {"m": model.state_dict()})
    torch.save(whole, tmp_path / "c.pt")
    torch.save(model.state_dict(), tmp_path / "model.pt")
    words = [str(tmp_path / word) if word.endswith("pt") else word for word in words]
    there = tmp_path / "r.safetensors"
    assert converted(tmp_path / "c.pt", there, "--to", "adamas", *words) == 0
    # Nobody said that the model beside the state is the one.
    assert ("--names" in capsys.readouterr().err) == (not words)
    found = adamas.open_file(there).state()["state"]
    assert list(found) == [name for name, _ in model.named_parameters()]
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(found[name]["m"], optimizer.state[p]["exp_avg"])


def test_a_named_optimizer_goes_on(tmp_path: Path) -> None:
    """What the page shows: from numbers to `named_parameters()`, and on as torch goes on."""
    model, optimizer = run(norm=False)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "c")
    here, there = tmp_path / "c", tmp_path / "r.safetensors"
    assert converted(here, there, "--params", here) == 0
    other = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 2))
    other.load_state_dict(model.state_dict())
    named = adamas.torch.AdamW(other.named_parameters())
    named.load(there)
    for _ in range(5):
        stepped(model, optimizer)
        stepped(other, named)
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("words", [[], ["--params"]])
def test_params_of_a_file_of_adamas_are_the_model(words: list[Any], tmp_path: Path) -> None:
    """What was saved as `params=` beside a state with numbers gives it names."""
    model, _ = run(norm=False)
    here, there = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    adamas.torch.AdamW(model.parameters()).save(here, params=model.state_dict())
    words = [*words, *[here for _ in words]]
    assert converted(here, there, "--to", "adamas", *words) == 0
    assert list(adamas.open_file(there).parameters) == list(model.state_dict())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_model_that_does_not_fit_is_refused(
    language: str, tmp_path: Path, capsys: Captured
) -> None:
    """Other shapes, other counts, several groups, and no model at all: a line says --names."""
    model, optimizer = run()
    torch.save(optimizer.state_dict(), tmp_path / "c.pt")
    groups = [{"params": list(model[0].parameters())}, {"params": list(model[2].parameters())}]
    torch.save(torch.optim.AdamW(groups).state_dict(), tmp_path / "g.pt")
    state = model.state_dict()
    torch.save(dict(reversed(state.items())), tmp_path / "turned.pt")
    torch.save({"a": torch.ones(3)}, tmp_path / "few.pt")
    adamas.torch.AdamW(model.parameters()).save(tmp_path / "own.safetensors")
    torch.save({k: v for k, v in state.items() if not k.startswith("1")}, tmp_path / "two.pt")
    for here, words in [
        ("c.pt", []), ("own.safetensors", []), ("c.pt", ["--params", "turned.pt"]),
        ("c.pt", ["--params", "few.pt"]), ("g.pt", ["--params", "two.pt"]),
    ]:  # fmt: skip
        words = [str(tmp_path / word) if word.endswith("pt") else word for word in words]
        there = tmp_path / "r.safetensors"
        code = converted(tmp_path / here, there, "--to", "adamas", *words, "--lang", language)
        said = capsys.readouterr().err
        assert code == 1 and said.count("\n") == 1 and "--names" in said and not there.exists()
        assert ("参数" in said) == (language == "zh"), said

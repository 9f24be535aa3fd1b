"""The example of a large model keeps its promises at its tiny size."""

import importlib.util
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import adamas
from places import ROOT

Run = Callable[..., str]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The example, imported as a module."""
    spec = importlib.util.spec_from_file_location("large", ROOT / "examples/large.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def run(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs the example with these arguments, and returns what it prints."""

    def run(*given: object) -> str:
        words = ["large.py", "--size", "tiny", *map(str, given)]
        monkeypatch.setattr(sys, "argv", words)
        script.main()
        return capsys.readouterr().out

    return run


def same(one: Path, other: Path) -> bool:
    """Whether two files hold the same bits under the same names."""
    first, second = map(adamas.open_file, (one, other))
    assert first.tensors == second.tensors and first.steps == second.steps
    return all(np.array_equal(first.read(name), second.read(name)) for name in first.tensors)


@pytest.mark.parametrize("master", [[], ["--master", 8]])
def test_a_run_goes_on_bit_for_bit(run: Run, tmp_path: Path, master: list[object]) -> None:
    """Two halves end where the whole does, parameters, state and rounding at random."""
    run("--steps", 4, "--file", tmp_path / "whole", *master)
    for _ in range(2):
        told = run("--steps", 2, "--file", tmp_path / "halves", *master)
    assert "at step 2 after" in told and "step 4: loss" in told
    assert same(tmp_path / "whole", tmp_path / "halves")


def test_control_c_ends_with_the_step(
    run: Run, script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is saved after Ctrl-C in the middle of a step is the run after that step."""
    run("--steps", 2, "--file", tmp_path / "whole")
    run("--steps", 1, "--file", tmp_path / "stopped")
    loss = script.cross_entropy

    def pressed(*given: torch.Tensor) -> torch.Tensor:
        signal.raise_signal(signal.SIGINT)
        found: torch.Tensor = loss(*given)
        return found

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(script, "cross_entropy", pressed)
    told = run("--steps", 9, "--file", tmp_path / "stopped")
    assert "this step is the last" in told and "step 2 is in" in told
    assert same(tmp_path / "whole", tmp_path / "stopped")
    assert signal.getsignal(signal.SIGINT) is before


def test_the_loss_falls_and_bytes_are_few(run: Run) -> None:
    """It learns, from even odds of 256 bytes, which are 5.55 nats, at 2 and 2.03 bytes."""
    told = run("--steps", 20)
    losses = [float(one) for one in re.findall(r"loss ([\d.]+)", told)]
    assert 5.4 < losses[0] < 6.2 and losses[-1] < 4.5
    own, state = map(float, re.findall(r"([\d.]+) of ", told))
    assert own == 2 and 2 + 2 / 128 <= state < 2.03


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="it asks Linux what is free")
def test_what_cannot_be_had_is_told(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that memory does not hold is refused before it is made, and a width of no heads."""
    with pytest.raises(SystemExit, match=r"take [\d.]+ GB; [\d.]+ GB are free"):
        run("--layers", 100, "--width", 64 * 1000)
    with pytest.raises(SystemExit):
        run("--width", 100)
    assert "--width 100: it must be a multiple of 64" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run("--file", "nowhere/run.safetensors")
    assert "there is no folder 'nowhere'" in capsys.readouterr().err

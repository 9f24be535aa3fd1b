"""`adamas inspect` and `adamas convert` end in one line for files that were made to hurt."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

import adamas
from adamas import cli

Captured = pytest.CaptureFixture[str]
COMMANDS = (["inspect"], ["convert", "--from", "torch.AdamW"])


def refusal(words: list[str], place: Path, capsys: Captured) -> str:
    """The one line that a command ends with."""
    target = [f"{place}.safetensors"] if words[0] == "convert" else []
    assert cli.main([*words, str(place), *target]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and not os.path.exists(f"{place}.safetensors")
    return told


def state(**changed: Any) -> dict[str, Any]:
    """What torch's AdamW saves after a step, of one parameter, with changes."""
    p = torch.nn.Parameter(torch.ones(3, 4))
    optimizer = torch.optim.AdamW([p])
    p.grad = torch.ones(3, 4)
    optimizer.step()
    found = optimizer.state_dict()
    found["state"][0].update(changed)
    return found


@pytest.mark.parametrize("words", COMMANDS, ids=lambda one: one[0])
def test_an_expanded_number_takes_no_memory(
    words: list[str], tmp_path: Path, capsys: Captured
) -> None:
    """A file of 2 KB whose moments would have 4 TB is refused by its size."""
    one = torch.ones(1).expand(1 << 40)
    torch.save(state(exp_avg=one, exp_avg_sq=one), tmp_path / "a.pt")
    assert "would have 4,398,046,511,104 bytes" in refusal(words, tmp_path / "a.pt", capsys)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda one: one[0])
def test_numbers_that_are_no_numbers(words: list[str], tmp_path: Path, capsys: Captured) -> None:
    """A step count, or a learning rate, without data is told in a line."""
    nothing = torch.empty((), device="meta")
    torch.save(state(step=nothing), tmp_path / "a.pt")
    assert "meta" in refusal(words, tmp_path / "a.pt", capsys)
    found = state()
    found["param_groups"][0]["lr"] = nothing
    torch.save(found, tmp_path / "b.pt")
    assert "meta" in refusal(words, tmp_path / "b.pt", capsys)


@pytest.mark.parametrize("count", [-3.0, 1e30])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda one: one[0])
def test_steps_that_nobody_makes(
    words: list[str], count: float, tmp_path: Path, capsys: Captured
) -> None:
    """A checkpoint of fewer than no steps, or of more than float64 counts, is told in a line."""
    torch.save(state(step=torch.tensor(count)), tmp_path / "a.pt")
    assert f"steps is {int(torch.tensor(count))}" in refusal(words, tmp_path / "a.pt", capsys)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda one: one[0])
def test_a_pipe_is_not_waited_for(words: list[str], tmp_path: Path, capsys: Captured) -> None:
    """A pipe that nobody writes into is a file of no bytes."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Whoever waits for a writer gets one, after a while, and the test says so.
    waited = threading.Event()

    def write() -> None:
        waited.set()
        os.close(os.open(pipe, os.O_RDWR))

    timer = threading.Timer(5, write)
    timer.start()
    try:
        assert "0 bytes" in refusal(words, pipe, capsys)
        with pytest.raises(ValueError, match="0 bytes"):
            adamas.open_file(pipe)
        assert not waited.is_set()
    finally:
        timer.cancel()


def test_a_conversion_follows_no_link_beside_its_place(tmp_path: Path, capsys: Captured) -> None:
    """The temporary file of a conversion is no link, and a link to a target stays one."""
    torch.save(state(), tmp_path / "a.pt")
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / ".t.pt.part").symlink_to(tmp_path / "mine")
    (tmp_path / "link.pt").symlink_to(tmp_path / "t.pt")
    words = ["convert", "--from", "torch.AdamW", "--force", str(tmp_path / "a.pt")]
    assert cli.main([*words, str(tmp_path / "link.pt")]) == 1
    assert (tmp_path / "mine").read_bytes() == b"mine" and not (tmp_path / "t.pt").exists()
    (tmp_path / ".t.pt.part").unlink()
    assert cli.main([*words, str(tmp_path / "link.pt")]) == 0
    assert torch.load(tmp_path / "t.pt")["state"] and (tmp_path / "link.pt").is_symlink()

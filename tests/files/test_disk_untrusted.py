"""A directory that somebody else has made, or changed: no other file is touched, and it is told."""

import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import adamas

STATE, UNDO, MODEL = "state.safetensors", "undo", "model.safetensors"


def made(folder: Path, model: Path | None = None) -> adamas.Optimizer:
    """An optimizer of one parameter, in memory or in a file, with its state in a folder."""
    params = adamas.open_params(model) if model else {"w": np.ones(64, np.float32)}
    return adamas.AdamW(params, lr=0.1, state_dir=folder)


def model_in(folder: Path, number: float = 1) -> Path:
    """A file with a parameter."""
    place = folder / MODEL
    adamas.save(place, adamas.SGD(np.zeros(1)), {"w": np.full(64, number, np.float32)})
    return place


def first_byte(place: Path) -> int:
    """Where the tensors of a safetensors file begin."""
    return 8 + int.from_bytes(place.read_bytes()[:8], "little")


def step(optimizer: adamas.Optimizer) -> None:
    """One step."""
    optimizer.step({"w": np.ones(64, np.float32)})


def record(number: int, content: bytes, places: tuple[int, ...] = ()) -> bytes:
    """A record of an undo file, by its description alone."""
    whole = b"".join(place.to_bytes(8, "little") for place in places) + content
    head = struct.pack("<8sqQQI", b"adamas-u", number, len(content), len(places), zlib.crc32(whole))
    head += struct.pack("<I", zlib.crc32(head))
    return head.ljust(64, b"\0") + whole + b"\0" * (-len(whole) % 64)


def unfinished(folder: Path, *others: Path, at: int = 0) -> None:
    """Write an undo file that puts text into other files, at a byte of theirs."""
    listed = [(STATE, (folder / STATE).stat().st_size)]
    listed += [(str(one), one.stat().st_size) for one in others]
    content = record(-1, json.dumps(listed).encode())
    content += b"".join(record(k + 1, b"taken", (at,)) for k in range(len(others)))
    (folder / UNDO).write_bytes(content)


@pytest.mark.parametrize("linked", [False, True])
def test_an_undo_file_reaches_no_file_of_the_user(linked: bool, tmp_path: Path) -> None:
    """Paths in an undo file are matched with files of the parameters, and never opened."""
    made(tmp_path / "run")
    diary = tmp_path / "diary"
    diary.write_bytes(b"my diary")
    unfinished(tmp_path / "run", diary)
    if linked:
        (tmp_path / "run" / STATE).unlink()
        (tmp_path / "run" / STATE).symlink_to(diary)
    with pytest.raises((ValueError, OSError)) as error:
        made(tmp_path / "run")
    assert ("links" if linked else "in which none of these parameters lies") in str(error.value)
    assert diary.read_bytes() == b"my diary" and (tmp_path / "run" / UNDO).stat().st_size


def test_a_copy_of_a_directory_leaves_the_model_of_the_first(tmp_path: Path) -> None:
    """A copy with an unfinished step is not put back into parameters that it was not given."""
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    made(first / "run", model_in(first))
    begin = first_byte(first / MODEL)
    unfinished(first / "run", first / MODEL, at=begin)
    shutil.copytree(first, second)
    before = (first / MODEL).read_bytes()
    with pytest.raises(ValueError, match="in which none of these parameters lies"):
        made(second / "run", second / MODEL)
    assert (first / MODEL).read_bytes() == before
    # Where the old path leads to the parameters that are given, it is put back.
    shutil.rmtree(first)
    first.symlink_to(second)
    made(second / "run", second / MODEL)
    assert (second / MODEL).read_bytes() == before[:begin] + b"taken" + before[begin + 5 :]


@pytest.mark.parametrize("place", ["header", "before", "behind", "other", "negative", "huge"])
def test_an_undo_file_reaches_parameters_alone(place: str, tmp_path: Path) -> None:
    """In a file of a parameter nothing is put back but where a given parameter lies."""
    arrays = {"w": np.ones(64, np.float32), "x": np.ones(64, np.float32)}
    adamas.save(tmp_path / MODEL, adamas.SGD(np.zeros(1)), arrays)
    params = {"w": adamas.open_params(tmp_path / MODEL)["w"]}
    adamas.AdamW(params, state_dir=tmp_path / "run")
    begin, before = first_byte(tmp_path / MODEL), (tmp_path / MODEL).read_bytes()
    at = {
        "header": 0, "before": begin - 1, "behind": begin + 256 - 4, "other": begin + 256,
        "negative": (1 << 64) - 8, "huge": (1 << 63) - 1,
    }[place]  # fmt: skip
    unfinished(tmp_path / "run", tmp_path / MODEL, at=at)
    with pytest.raises(ValueError, match="it would write at byte"):
        adamas.AdamW(params, state_dir=tmp_path / "run")
    assert (tmp_path / MODEL).read_bytes() == before
    assert (tmp_path / "run" / UNDO).stat().st_size
    # With both parameters the end of the one and the begin of the other are theirs.
    unfinished(tmp_path / "run", tmp_path / MODEL, at=begin + 254)
    with pytest.raises(ValueError, match="'x'"):
        adamas.AdamW(adamas.open_params(tmp_path / MODEL), state_dir=tmp_path / "run")
    assert b"taken" in (tmp_path / MODEL).read_bytes()


@pytest.mark.parametrize("content", [b"notes of mine", b"\0" * 4096 + b"an image of a disk"])
def test_a_file_that_is_called_undo_stays(content: bytes, tmp_path: Path) -> None:
    """What is called undo and belongs to no state is neither cut nor removed."""
    (tmp_path / UNDO).write_bytes(content)
    with pytest.raises(ValueError, match="which it would belong to, is not there"):
        made(tmp_path)
    assert os.listdir(tmp_path) == [UNDO] and (tmp_path / UNDO).read_bytes() == content


@pytest.mark.parametrize("name", [UNDO, STATE, f".{STATE}.part"])
def test_links_lead_to_no_file(name: str, tmp_path: Path) -> None:
    """A link in the directory leads to no file that is written."""
    other, run = tmp_path / "other", tmp_path / "run"
    run.mkdir()
    other.write_bytes(b"")
    (run / name).symlink_to(other)
    if name.endswith("part"):
        step(made(run))
    else:
        with pytest.raises((ValueError, OSError), match="link"):
            made(run)
    assert other.read_bytes() == b""


def test_saving_follows_no_link_beside_its_place(tmp_path: Path) -> None:
    """The temporary file of a save is no link that somebody left there."""
    other = tmp_path / "other"
    other.write_bytes(b"mine")
    (tmp_path / f".{MODEL}.part").symlink_to(other)
    with pytest.raises(OSError, match=MODEL):
        model_in(tmp_path)
    assert other.read_bytes() == b"mine" and not (tmp_path / MODEL).exists()


def test_saving_replaces_no_device(tmp_path: Path) -> None:
    """A pipe, as /dev/null would for root, stays what it is."""
    place = tmp_path / MODEL
    os.mkfifo(place)
    with pytest.raises(OSError, match="device or a pipe"):
        model_in(tmp_path)
    assert place.is_fifo() and os.listdir(tmp_path) == [MODEL]


def test_nothing_is_saved_over_what_is_stepped(tmp_path: Path) -> None:
    """Saving to the files of a state_dir optimizer is refused; all its steps are in them."""
    optimizer = made(tmp_path / "run", model_in(tmp_path))
    step(optimizer)
    for place in (tmp_path / "run" / STATE, tmp_path / MODEL):
        before = place.read_bytes()
        with pytest.raises(OSError, match="stepped where it lies"):
            optimizer.save(place)
        with pytest.raises(OSError, match="stepped where it lies"):
            optimizer.save(place, background=True).wait()
        assert place.read_bytes() == before
    step(optimizer)
    assert adamas.open_file(tmp_path / "run" / STATE).steps == 2


def test_a_file_that_is_opened_twice_has_one_address(tmp_path: Path) -> None:
    """Two parameters of the same bytes are refused, however often the file was opened."""
    place = model_in(tmp_path)
    (tmp_path / "link").symlink_to(place)
    one, two = adamas.open_params(place), adamas.open_params(tmp_path / "link")
    assert np.shares_memory(one["w"], two["w"])
    with pytest.raises(ValueError, match=r"memory|share|overlap"):
        adamas.AdamW({"a": one["w"], "b": two["w"]}, state_dir=tmp_path / "run")


CHANGES: dict[str, Callable[[Path], object]] = {
    "replaced": lambda place: (shutil.copy(place, f"{place}2"), os.replace(f"{place}2", place)),
    "moved": lambda place: place.rename(f"{place}2"),
    "removed": lambda place: place.unlink(),
    "cut": lambda place: os.truncate(place, place.stat().st_size // 2),
}


@pytest.mark.parametrize("name", [f"run/{STATE}", MODEL, f"run/{UNDO}"])
@pytest.mark.parametrize("change", CHANGES)
def test_files_that_are_changed_between_steps(change: str, name: str, tmp_path: Path) -> None:
    """A step whose result nobody could find is not done, and the file is named."""
    optimizer = made(tmp_path / "run", model_in(tmp_path))
    step(optimizer)
    CHANGES[change](tmp_path / name)
    if (change, name) == ("cut", f"run/{UNDO}"):
        step(optimizer)
        return
    with pytest.raises(OSError, match="while an optimizer had it open") as error:
        step(optimizer)
    assert error.value.filename == str(tmp_path / name) and optimizer.steps == 1

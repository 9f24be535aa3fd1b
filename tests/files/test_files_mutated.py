"""A file that is not what it says is refused in one line, and nothing was changed by then."""

import contextlib
import io
import json
import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adamas
from adamas import cli
from adamas.files import header
from filled import filled
from long_form import LONG
from lying_headers import LYING
from mutated_files import bytewise, documents, headers, joined, split
from stepping import snapshot

MANY = settings(
    max_examples=1500 if LONG else 50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def made() -> adamas.Optimizer:
    """An optimizer with codes, rows that were stepped, two groups and a schedule."""
    lr = adamas.schedule.constant(0.5)
    groups = [
        {"params": {"w": np.ones((5, 7), np.float32)}, "lr": lr},
        {"params": {"b": np.ones(3)}, "rule": "prodigy"},
    ]
    return adamas.AdamW(groups, state={"m": "int8", "v": "bfloat16"})


def written(folder: Path) -> bytes:
    """A file of it, with parameters and more."""
    place = folder / "whole"
    extra = {"n": [1, (2.5, float("inf"))], "z": np.ones(2) * 1j, "t": np.array([True, False])}
    filled(made()).save(
        place, params={"w": np.ones((2, 2), np.float32), 3: np.ones(1)}, extra=extra
    )
    return place.read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of one whole file."""
    return written(tmp_path_factory.mktemp("files"))


def one_line(said: str, place: Path) -> None:
    """An error is one line that begins with the path of its file."""
    assert said.startswith(repr(str(place))) and "\n" not in said and len(said) < 1000, said


def tried(data: bytes, folder: Path, strict: bool = True) -> bool:
    """Whether `data` is loaded; it is that or refused, and then nothing has changed."""
    place = folder / "spoilt"
    place.write_bytes(data)
    optimizer = made()
    before, groups = snapshot(optimizer), repr(optimizer.param_groups)
    loaded = False
    try:
        file = optimizer.load(place, strict)
        loaded = True
        for name in file.tensors:
            file.read(name)
        list(file.params.values()), repr(file.extra)
    except ValueError as error:
        one_line(str(error), place)
        # What fails behind `load` is `extra`, whose arrays are read when it is asked for.
        if not loaded:
            assert (snapshot(optimizer), repr(optimizer.param_groups)) == (before, groups)
        return False
    return True


def as_the_library_does(data: bytes) -> None:
    """What is read as a safetensors file here, the library reads as well, to the same bytes."""
    try:
        found = header.read(io.BytesIO(data), len(data))
    except ValueError:
        return
    there = dict(safetensors.deserialize(data))
    assert there.keys() == found.tensors.keys()
    for name, one in found.tensors.items():
        assert tuple(there[name]["shape"]) == one.shape and there[name]["dtype"] == one.form
        assert bytes(there[name]["data"]) == data[one.start : one.start + one.size]


@pytest.mark.parametrize("spoilt", [bytewise, headers, documents])
@MANY
@given(data=st.data())
def test_spoilt_files(
    spoilt: object, data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever byte, number or word of a file is wrong: one line with its path, and no change."""
    found = data.draw(spoilt(whole))  # type: ignore[operator]
    as_the_library_does(found)
    tried(found, tmp_path_factory.getbasetemp(), data.draw(st.booleans()))


def test_the_whole_file_is_loaded(whole: bytes, tmp_path: Path) -> None:
    """The tests above can fail: the file that they spoil is good."""
    assert tried(whole, tmp_path)


@pytest.mark.parametrize("text", LYING, ids=range(len(LYING)))
def test_headers_that_lie(text: str, tmp_path: Path) -> None:
    """A header is held against the file before anything is made of its numbers."""
    data = joined(text, b"abc")
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        header.read(io.BytesIO(data), len(data))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000 + 20 * len(text)
    tracemalloc.stop()


@pytest.mark.parametrize("word", ["params", "state", "extra", "rules", "parameters", "class"])
@pytest.mark.parametrize("value", [{"$tensor": "w"}, {"$tuple": []}, {"$dict": []}, [], "", None])
def test_words_of_another_kind(word: str, value: object, whole: bytes, tmp_path: Path) -> None:
    """What is written where something else should be is refused, or is what it says."""
    head, body = split(whole)
    said = json.loads(head["__metadata__"]["adamas"])
    head["__metadata__"]["adamas"] = json.dumps({**said, word: value})
    tried(joined(json.dumps(head), body), tmp_path)


@pytest.mark.parametrize("length", [0, 3, 1 << 20, 1 << 40, (1 << 64) - 1])
def test_headers_of_any_length(length: int, tmp_path: Path) -> None:
    """The length of a header is held against the file before it is read."""
    (tmp_path / "f").write_bytes(length.to_bytes(8, "little") + b"{}")
    with pytest.raises(ValueError, match=r"^[^\n]+/f': [^\n]+$"):
        adamas.open_file(tmp_path / "f")


def test_what_is_no_file_of_adamas(tmp_path: Path) -> None:
    """Files of others, pickles among them, are refused as what they are, and never run."""

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "p").write_bytes(pickle.dumps(Trap()))
    safetensors.numpy.save_file({"w": np.ones(3)}, tmp_path / "s")
    for name, said in (("p", "no safetensors file"), ("s", "no state of an optimizer of adamas")):
        with pytest.raises(ValueError, match=said):
            adamas.open_file(tmp_path / name)
    assert not (tmp_path / "ran").exists()
    with contextlib.suppress(FileNotFoundError):
        adamas.open_file(tmp_path / "none")


TWICE = [["w", [5, 7]], ["w", [5, 7]], ["b", [3]]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", -1), ("steps", 1 << 53), ("steps", True), ("seed", -1), ("seed", 1 << 32),
        ("parameters", [["w", [5, -7]]]), ("parameters", [["w", [1 << 40, 1 << 40]]]),
        ("parameters", [["w", [1] * 70]]), ("parameters", TWICE),
    ],
)  # fmt: skip
def test_numbers_that_count_nothing(
    name: str, value: object, whole: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `load` refuses of a file's own numbers, opening and looking at it refuse as well."""
    header, body = split(whole)
    document = json.loads(header["__metadata__"]["adamas"])
    header["__metadata__"]["adamas"] = json.dumps({**document, name: value})
    (tmp_path / "f").write_bytes(joined(json.dumps(header), body))
    for read in (made().load, adamas.open_file):
        with pytest.raises(ValueError, match=name.removesuffix("s")) as error:
            read(tmp_path / "f")
        one_line(str(error.value), tmp_path / "f")
    assert cli.main(["inspect", str(tmp_path / "f"), "--lang", "zh"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and ("应" in said or "参数" in said or value is True)

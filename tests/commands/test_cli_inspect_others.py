"""`adamas inspect` tells what is in files of torch and Keras, and runs nothing that is in them."""

import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adamas
import adamas.torch
from adamas import cli
from adamas.cli_text.core_words import known
from adamas.others.opening import looked_at
from filled import filled
from long_form import LONG

Captured = pytest.CaptureFixture[str]


def trained(make: Any, **options: Any) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A layer and its optimizer after three steps."""
    torch.manual_seed(0)
    model = torch.nn.Linear(80, 100)
    optimizer = make(model.named_parameters(), **options)
    for _ in range(3):
        model(torch.randn(2, 80)).square().sum().backward()
        optimizer.step()
    return model, optimizer


def told(place: Path, capsys: Captured) -> dict[str, Any]:
    """What the command prints as JSON; strict JSON, which has no NaN."""
    assert cli.main(["inspect", str(place), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    return found


@pytest.mark.parametrize("old", [False, True])
def test_a_checkpoint_of_torch(old: bool, tmp_path: Path, capsys: Captured) -> None:
    """Arrays have the names of their parameters, and the norms that torch finds."""
    model, optimizer = trained(torch.optim.AdamW, lr=2e-3)
    half = torch.tensor([1.5, float("nan"), -2.0], dtype=torch.bfloat16)
    whole = {"model": model.state_dict(), "half": half, "optimizer": optimizer.state_dict()}
    torch.save(whole, tmp_path / "c.pt", _use_new_zipfile_serialization=not old)
    found = told(tmp_path / "c.pt", capsys)
    arrays = {one["name"]: one for one in found["tensors"]}
    for name, p in model.named_parameters():
        assert arrays[f"model/{name}"]["norm"] == pytest.approx(p.norm().item(), rel=1e-6)
        v = optimizer.state[p]["exp_avg_sq"]
        entry = arrays[f"optimizer/state/{name}/exp_avg_sq"]
        assert entry["norm"] == pytest.approx(v.norm().item(), rel=1e-6)
        assert (entry["shape"], entry["format"], entry["bytes"]) == (list(v.shape), "F32", v.nbytes)
    assert (arrays["half"]["nonfinite"], arrays["half"]["norm"]) == (1, 2.5)
    assert (found["kind"], found["steps"]) == ("torch", 3)
    assert found["groups"][0]["lr"] == 2e-3 and found["groups"][0]["params"] == 2


def test_a_state_dict_alone_and_a_bare_tensor(tmp_path: Path, capsys: Captured) -> None:
    """An optimizer's `state_dict()` saved by itself is read, codes of adamas.torch included."""
    _, optimizer = trained(adamas.torch.AdamW, state="int8")
    torch.save(optimizer.state_dict(), tmp_path / "o.bin")
    found = told(tmp_path / "o.bin", capsys)
    assert "adamw" in found["optimizer"] and found["steps"] == 3
    assert any(one["format"] == "I8" and one["norm"] is None for one in found["tensors"])
    torch.save(torch.ones(2, 3).to_sparse(), tmp_path / "t.pt")
    assert told(tmp_path / "t.pt", capsys)["tensors"][0]["norm"] is None


class Runs:
    """What makes a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_code_in_a_file_of_torch_is_refused(
    language: str, tmp_path: Path, capsys: Captured
) -> None:
    """A file that would run something is refused in one line that names it, and nothing is run."""
    torch.save({"a": torch.ones(2), "b": Runs(tmp_path / "made")}, tmp_path / "c.pt")
    assert cli.main(["inspect", str(tmp_path / "c.pt"), "--lang", language]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "mkdir" in said and str(tmp_path / "c.pt") in said
    assert not (tmp_path / "made").exists() and ("代码" in said) == (language == "zh")


def test_arrays_larger_than_their_file_are_refused(tmp_path: Path, capsys: Captured) -> None:
    """A tensor of 10¹² repeated numbers is refused before anything is made of it."""
    torch.save(torch.ones(1).expand(10**12), tmp_path / "t.pt")
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        file.create_dataset("vars/0", (10**12,), "f4", chunks=(1000,))
    for name in ("t.pt", "w.weights.h5"):
        assert cli.main(["inspect", str(tmp_path / name)]) == 1
        assert "and the file has" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["unwritten", "linked", "compressed"])
@pytest.mark.parametrize("words", [["inspect"], ["convert", "--from", "keras.Adam(1e-3)"]])
def test_many_arrays_as_large_as_their_file_are_refused(
    kind: str, words: list[str], tmp_path: Path, capsys: Captured
) -> None:
    """Arrays of an HDF5 file that are small enough one by one may not be larger together."""
    place, target = tmp_path / "w.weights.h5", [str(tmp_path / "n.pt")] * (len(words) > 1)
    with h5py.File(place, "w") as file:
        file["whole"], one = np.ones(20_000, np.uint8), np.ones(5000, np.float32)
        group = file.create_group("optimizer/vars")
        # Chunks that nobody has written take no room in the file.
        how = {"chunks": one.shape, "compression": "gzip" if kind == "compressed" else None}
        for k in range(1, 9):
            if kind == "linked" and k > 1:
                group[str(k)] = group["1"]
            elif kind == "unwritten":
                group.create_dataset(str(k), one.shape, one.dtype, **how)
            else:
                group.create_dataset(str(k), data=one, **how)
    for language, reason in (("en", "arrays would have"), ("zh", "合起来")):
        assert cli.main([*words, str(place), *target, "--lang", language]) == 1
        said = capsys.readouterr().err
        assert reason in said and said.count("\n") == 1
    assert os.listdir(tmp_path) == [place.name]


def test_other_files_are_not_followed(tmp_path: Path, capsys: Captured) -> None:
    """An HDF5 file that points into another file, or to bytes outside, is refused."""
    (tmp_path / "secret").write_bytes(b"x" * 64)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["vars"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("v", (16,), "f4", external=[(str(tmp_path / "secret"), 0, 64)])
    for name, reason in (("a.h5", "链接"), ("b.h5", "另一个文件")):
        assert cli.main(["inspect", str(tmp_path / name), "--lang", "zh"]) == 1
        assert reason in capsys.readouterr().err


def test_broken_files_are_one_line(tmp_path: Path, capsys: Captured) -> None:
    """Files that are cut off, or a zip of somebody else's, end with one line that names them."""
    torch.save(torch.ones(500), tmp_path / "t.pt")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["x"] = np.ones(500)
    for name in ("t.pt", "w.h5"):
        whole = (tmp_path / name).read_bytes()
        for cut in (9, len(whole) // 2, len(whole) - 1):
            (tmp_path / "cut").write_bytes(whole[:cut])
            assert cli.main(["inspect", str(tmp_path / "cut")]) == 1
            assert capsys.readouterr().err.count("\n") == 1
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        archive.writestr("a", "b")
    assert cli.main(["inspect", str(tmp_path / "z"), "--lang", "zh"]) == 1
    assert "既不是 torch" in capsys.readouterr().err


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files of each kind, whole."""
    folder = tmp_path_factory.mktemp("whole")
    state = trained(torch.optim.AdamW)[1].state_dict()
    torch.save(state, folder / "new")
    torch.save(state, folder / "old", _use_new_zipfile_serialization=False)
    with h5py.File(folder / "h5", "w") as file:
        file["optimizer/vars/0"] = np.int32(3)
        file["optimizer/vars/1"] = np.ones((30, 40), np.float32)
    with zipfile.ZipFile(folder / "keras", "w") as archive:
        config = {"compile_config": {"optimizer": {"class_name": "Adam", "config": {}}}}
        archive.writestr("config.json", json.dumps(config))
        archive.write(folder / "h5", "model.weights.h5")
    np.savez(folder / "npz", a=np.ones((30, 40)), b=np.int32(3))
    return {one.stem: one.read_bytes() for one in folder.iterdir()}


@pytest.mark.parametrize("kind", ["new", "old", "h5", "keras", "npz"])
@settings(max_examples=1000 if LONG else 30, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_spoilt_files(
    kind: str,
    data: st.DataObject,
    whole: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever bytes of a file are wrong, it is told or refused in one line that names it."""
    spoilt, place = bytearray(whole[kind]), tmp_path_factory.getbasetemp() / "spoilt"
    for _ in range(data.draw(st.integers(1, 8))):
        # What is drawn must not depend on the file: torch's older ones hold addresses of memory.
        at = data.draw(st.integers(0, 1 << 20)) % len(spoilt)
        spoilt[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    place.write_bytes(spoilt)
    try:
        looked_at(str(place))
    except (ValueError, OSError) as error:
        said = str(error)
        assert "\n" not in said and str(place) in said and len(said) < 2000, said


def test_a_file_of_numpy(tmp_path: Path, capsys: Captured) -> None:
    """A state that `numpy.savez` wrote is listed with its norms, and no object in it is made."""
    state: dict[str, Any] = {
        "0/mu/w": np.arange(12.0, dtype="f4").reshape(3, 4), "0/count": np.int32(3),
        "big": np.ones(5, ">f8"), "turned": np.arange(6.0).reshape(2, 3).T,
    }  # fmt: skip
    objects = np.array({"a": Runs(tmp_path / "made")}, dtype=object)
    np.savez(tmp_path / "s.npz", **state, objects=objects)
    found = told(tmp_path / "s.npz", capsys)
    arrays = {one["name"]: one for one in found["tensors"]}
    assert (found["kind"], list(arrays)) == ("npz", [*state, "objects"])
    for name in ("0/mu/w", "big", "turned"):
        assert arrays[name]["norm"] == pytest.approx(np.linalg.norm(state[name]))
        assert arrays[name]["shape"] == list(state[name].shape)
    assert (arrays["0/count"]["norm"], arrays["0/count"]["format"]) == (None, "I32")
    assert arrays["objects"]["norm"] is None and not (tmp_path / "made").exists()


def test_a_file_of_numpy_that_grows(tmp_path: Path, capsys: Captured) -> None:
    """A compressed file is refused by its size, before anything of it is read."""
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(1 << 20))
    np.savez_compressed(tmp_path / "b.npz", **{str(k): np.zeros(999) for k in range(99)})
    for name in ("a", "b"):
        assert cli.main(["inspect", str(tmp_path / f"{name}.npz")]) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "and the file has" in said


def test_nan_of_every_kind_is_counted(tmp_path: Path, capsys: Captured) -> None:
    """A NaN that signals is one that is not finite, and nothing is said of arithmetic."""
    # IEEE 754: all bits of the exponent are set, and the first of the fraction is not.
    bits = np.array([0x7F800001, 0x40000000], np.uint32)
    safetensors.numpy.save_file({"a": bits.view(np.float32)}, tmp_path / "a.safetensors")
    [one] = told(tmp_path / "a.safetensors", capsys)["tensors"]
    assert (one["nonfinite"], one["norm"]) == (1, 2.0)


def test_groups_in_a_circle(tmp_path: Path, capsys: Captured) -> None:
    """An HDF5 file whose groups hold each other is refused, and read in no circle."""
    with h5py.File(tmp_path / "w.h5", "w") as file:
        group = file.create_group("a")
        group["b"], group["c"] = group, file
    assert cli.main(["inspect", str(tmp_path / "w.h5")]) == 1
    assert "stands there twice" in capsys.readouterr().err


def test_a_missing_framework_is_named(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without torch, or h5py, the command says how to install it."""
    torch.save(torch.ones(5), tmp_path / "t.pt")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["x"] = np.ones(5)
    monkeypatch.setattr("adamas.others.found.find_spec", lambda name: None)
    for name, package in (("t.pt", "torch"), ("w.h5", "h5py")):
        assert cli.main(["inspect", str(tmp_path / name)]) == 1
        assert f"pip install {package}" in capsys.readouterr().err


def test_anybodys_safetensors(tmp_path: Path, capsys: Captured) -> None:
    """A safetensors file without an optimizer is listed with its norms."""
    arrays = {"w": np.arange(12.0).reshape(3, 4), "n": np.arange(3)}
    safetensors.numpy.save_file(arrays, tmp_path / "s")
    found = told(tmp_path / "s", capsys)
    assert found["kind"] == "safetensors" and found["steps"] is None
    norms = {one["name"]: one["norm"] for one in found["tensors"]}
    assert norms == {"w": pytest.approx(np.linalg.norm(arrays["w"])), "n": None}


def test_the_share_at_the_floor(tmp_path: Path, capsys: Captured) -> None:
    """Codes of 8 bits are told by the share of the smallest size, as `observed` tells it."""
    optimizer = filled(adamas.AdamW({"1": np.ones((64, 128), np.float32)}, state="int8"))
    state = optimizer.state_dict()
    state["state"]["1"]["v"][:16] = 0
    optimizer.load_state_dict(state)
    optimizer.save(tmp_path / "f")
    shares = {one["name"]: one["floor"] for one in told(tmp_path / "f", capsys)["tensors"]}
    assert shares["state/1/v"] >= 0.25 and shares["state/1/v.scale"] is None


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_share_of_codes_of_four_bits(order: Any, tmp_path: Path, capsys: Captured) -> None:
    """Two codes are in a byte, and where a row has an odd number, its last byte has one."""
    params = {"1": np.ones((64, 129), np.float32, order), "2": np.ones((299, 31), np.float32)}
    optimizer = adamas.AdamW(params, state="int4")
    state = optimizer.state_dict()
    rows = 64 if order == "C" else 129
    for key, count in (("1", rows), ("2", 1)):
        codes = state["state"][key]["v"].reshape(count, -1)
        # 0 is the smallest size of a square, and 1 the next; what lies behind a row counts nothing.
        codes[...] = 0x11
        codes[: count // 4 or None] = 0
    optimizer.load_state_dict(state)
    optimizer.save(tmp_path / "f")
    shares = {one["name"]: one["floor"] for one in told(tmp_path / "f", capsys)["tensors"]}
    assert shares["state/1/v"] == rows // 4 / rows and shares["state/2/v"] == 1
    assert shares["state/1/v.scale"] is None and shares["state/1/m"] == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_files_of_others_are_called_by_what_they_are(language: str, tmp_path: Path) -> None:
    """`open_file` leads from a checkpoint of torch or Keras to the command that reads it."""
    torch.save({"a": torch.ones(3)}, tmp_path / "new.pt")
    torch.save({"a": torch.ones(3)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    (tmp_path / "w.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (tmp_path / "a.txt").write_text("a text of some length")
    said = {"en": "no safetensors file", "zh": "不是 safetensors 文件"}[language]
    for place in tmp_path.iterdir():
        with pytest.raises(ValueError, match=re.escape(str(place))) as caught:
            adamas.open_file(place)
        told = known(str(caught.value))[language]
        assert said in told and ("adamas convert" in told) == (place.suffix != ".txt")

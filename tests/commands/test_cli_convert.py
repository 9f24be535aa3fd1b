"""`adamas convert`: the state in a file goes on in another library as at home, or is refused."""

import functools
import json
import os
import re
import resource
import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

import adamas
import adamas.torch
from adamas import cli
from adamas.files import atomic
from adamas.others import conversion, keras_file
from home_runs import HALF, NAMES, Adamas, Torch, Trained, forty, sample

Captured = pytest.CaptureFixture[str]
# Of float32 arithmetic in another order, relative to the largest parameter.
FLOAT32 = 2e-6


def converted(*words: Any) -> int:
    """The exit code of the command."""
    return cli.main(["convert", *map(str, words)])


def saved(first: Trained, place: Path) -> Path:
    """A file of torch with the state at half of the steps."""
    torch.save({"optimizer": first.state, "epoch": 3}, place)
    return place


def off(second: Any, first: Trained, dtype: str = "float32") -> float:
    """How far twenty more steps there are from forty at home."""
    for one in sample(dtype)[1][HALF:]:
        second.step(one)
    pairs = zip(second.params(), first.whole, strict=True)
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)


def started(run: Any, first: Trained) -> Any:
    """A run at the parameters of half of the steps, without state."""
    run.start(first.half)
    return run


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("AdamW", {"lr": 1e-2}), ("Adam", {"amsgrad": True}), ("RMSprop", {"momentum": 0.5}),
        ("SGD", {"momentum": 0.9, "nesterov": True}), ("NAdam", {}), ("Adamax", {}),
        ("Adagrad", {}), ("RAdam", {}), ("Adadelta", {}),
    ],
)  # fmt: skip
def test_torch_goes_on_in_adamas_and_back(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    """A checkpoint of torch.optim, its class found out, is a file that adamas goes on with."""
    first = forty(Torch(getattr(torch.optim, name), **options), "float32")
    there, back = tmp_path / "run.safetensors", tmp_path / "back.pt"
    assert converted(saved(first, tmp_path / "c.pt"), there) == 0
    second = started(Torch(getattr(adamas.torch, name), **options), first)
    second.source.load(there)
    assert off(second, first) < FLOAT32
    assert converted(there, back) == 0
    third = started(Torch(getattr(torch.optim, name), **options), first)
    third.source.load_state_dict(torch.load(back))
    assert off(third, first) < FLOAT32


def test_torch_goes_on_in_arrays_and_back(tmp_path: Path, capsys: Captured) -> None:
    """The same file is one of `adamas.AdamW`, and what that saves goes back to torch."""
    first = forty(Torch(torch.optim.AdamW, lr=1e-2), "float32")
    there, back = tmp_path / "run.safetensors", tmp_path / "back.pth"
    assert converted(saved(first, tmp_path / "c.pt"), there, "--to", "adamas") == 0
    assert adamas.open_file(there).home == "adamas"
    second = started(Adamas(adamas.rules.adamw), first)
    second.source.load(there)
    assert second.source.param_groups[0]["lr"] == 1e-2
    second.source.save(tmp_path / "own.safetensors")
    assert off(second, first) < FLOAT32
    capsys.readouterr()
    assert converted(tmp_path / "own.safetensors", back) == 0
    # The class of this name, and not Adam with an option.
    assert f"{back} (torch.AdamW)" in capsys.readouterr().out
    third = started(Torch(torch.optim.AdamW), first)
    third.source.load_state_dict(torch.load(back))
    assert off(third, first) < FLOAT32


def test_groups_without_names_and_few_bits(tmp_path: Path, capsys: Captured) -> None:
    """Parameters by number stay so; `--state int8` writes codes; the JSON says what was done."""
    model = torch.nn.Sequential(torch.nn.Linear(80, 100), torch.nn.Linear(100, 3))
    groups = [
        {"params": list(model[0].parameters()), "lr": 3e-3},
        {"params": list(model[1].parameters()), "weight_decay": 0.2},
    ]
    optimizer = torch.optim.AdamW(groups)
    model(torch.randn(4, 80)).square().sum().backward()
    optimizer.step()
    torch.save(optimizer.state_dict(), tmp_path / "c.bin")
    there = tmp_path / "run.safetensors"
    assert converted(tmp_path / "c.bin", there, "--state", "int8", "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["parameters"], done["steps"], done["warnings"]) == (4, 1, [])
    assert done["source"]["optimizer"] == "torch.AdamW"
    assert safetensors.torch.load_file(there)["state/0/m"].dtype == torch.int8
    second = adamas.torch.AdamW(groups, state="int8")
    second.load(there)
    assert [one["lr"] for one in second.param_groups] == [3e-3, 1e-3]
    weight = model[0].weight
    wanted = optimizer.state[weight]["exp_avg"]
    found = second.values(weight)["exp_avg"]
    # Codes have at least three bits behind the first.
    assert (found - wanted).norm() < wanted.norm() / 16


def test_bitsandbytes_is_read(tmp_path: Path) -> None:
    """8-bit AdamW of bitsandbytes goes on within what its own codes are off."""
    bnb = pytest.importorskip("bitsandbytes")
    generator = torch.Generator().manual_seed(0)
    gradients = [torch.randn(70, 90, generator=generator) for _ in range(40)]
    ends = {}
    for name in ("AdamW8bit", "AdamW"):
        p = torch.nn.Parameter(torch.ones(70, 90))
        optimizer = getattr(bnb.optim, name)([("w", p)], lr=1e-3)
        for step, g in enumerate(gradients):
            if step == 20 and name == "AdamW8bit":
                torch.save(optimizer.state_dict(), tmp_path / "b.bin")
                half = p.detach().clone()
            p.grad = g
            optimizer.step()
        ends[name] = p.detach()
    there = tmp_path / "run.safetensors"
    words = ["--from", "bitsandbytes.AdamW8bit", "--to", "adamas.torch.AdamW"]
    assert converted(tmp_path / "b.bin", there, *words) == 0
    p = torch.nn.Parameter(half)
    second = adamas.torch.AdamW([("w", p)])
    second.load(there)
    for g in gradients[20:]:
        p.grad = g
        second.step()
    # What 8 bits cost at home: the distance of 40 steps in 8 bits from 40 in 32.
    cost = (ends["AdamW8bit"] - ends["AdamW"]).norm()
    assert (p - ends["AdamW8bit"]).norm() < cost < 0.1 * (ends["AdamW"] - 1).norm()


def test_names_and_layouts(tmp_path: Path) -> None:
    """`--names` gives new names, turns a layer round and leaves a parameter out."""
    layer = torch.nn.Linear(2, 3)
    optimizer = torch.optim.AdamW([*layer.named_parameters(), ("old", torch.ones(2))])
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    torch.save(optimizer.state_dict(), tmp_path / "c.pt")
    names = {"weight": ["fc/kernel", "T"], "bias": "fc/bias", "old": None}
    (tmp_path / "n.json").write_text(json.dumps(names))
    there = tmp_path / "r.safetensors"
    words = ["--to", "adamas", "--names", tmp_path / "n.json"]
    assert converted(tmp_path / "c.pt", there, *words) == 0
    found = adamas.open_file(there).state()["state"]
    np.testing.assert_array_equal(
        found["fc/kernel"]["m"], optimizer.state[layer.weight]["exp_avg"].T
    )
    listed = json.dumps([["w", [1, 0]], "b", None])
    assert converted(tmp_path / "c.pt", there, "--to", "adamas", "--names", listed, "--force") == 0
    assert list(adamas.open_file(there).parameters) == ["w", "b"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_refusals_are_one_line(language: str, tmp_path: Path, capsys: Captured) -> None:
    """What cannot be converted is told in one line that names the file, and nothing is written."""
    layer = torch.nn.Linear(2, 3)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer = torch.optim.NAdam(layer.named_parameters())
    optimizer.step()
    state = optimizer.state_dict()
    torch.save(state, tmp_path / "c.pt")
    torch.save({"g": state, "d": state}, tmp_path / "two.pt")
    torch.save(torch.ones(3), tmp_path / "none.pt")
    strange = {**state, "param_groups": [{**state["param_groups"][0], "mine": 1}]}
    torch.save(strange, tmp_path / "strange.pt")
    torch.save(layer, tmp_path / "code.pt")
    (tmp_path / "there.pt").write_bytes(b"mine")
    (tmp_path / "folder.pt").mkdir()
    adamas.AdamW({"w": np.ones(3)}).save(tmp_path / "own")
    new = "new.safetensors"
    for words, reason in [
        (["c.pt", new, "--to", "adamas.torch.AdamW"], "AdamW"),
        (["c.pt", new, "--to", "adamas.torch.AdamW"], "--to adamas.torch.NAdam"),
        (["c.pt", new, "--to", "torch.NAdam"], ".pt"),
        (["own", new, "--to", "optax.adamw"], '--to "optax.adamw(0.001)"'),
        (["c.pt", "folder.pt"], "folder.pt"),
        (["c.pt", "folder.pt", "--force"], "folder.pt"),
        (["c.pt", new, "--names", '{"a": "b"}'], "--names"),
        (["c.pt", new, "--names", "{"], "JSON"),
        (["c.pt", new, "--names", '["w"]'], "--names"),
        (["c.pt", "new.txt"], ".safetensors"),
        (["c.pt", "there.pt"], "--force"),
        (["two.pt", new], "--entry"),
        (["two.pt", new, "--entry", "x"], "'x'"),
        (["none.pt", new], "param_groups"),
        (["strange.pt", new], "--from"),
        (["code.pt", new], "Linear"),
        (["no.pt", new], "no.pt"),
    ]:
        places = [tmp_path / words[0], tmp_path / words[1]]
        assert converted(*places, *words[2:], "--lang", language) == 1, words
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and reason in said and str(tmp_path) in said, said
        assert said.count(repr(str(places[0]))) <= 1, said
        assert "folder" not in reason or "--force" not in said
        assert language == "en" or re.search("[\u4e00-\u9fff]{4}", said), said
        # Punctuation is that of the sentence that it stands around.
        assert ("：" in said or "。" in said) <= bool(re.search("[\u4e00-\u9fff]{4}", said)), said
        assert not (tmp_path / new).exists() and not (tmp_path / "new.txt").exists()
    assert (tmp_path / "there.pt").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["new.pt", "new.safetensors", "new.weights.h5"])
def test_a_full_disk_leaves_the_file_that_is_there(
    name: str, tmp_path: Path, capsys: Captured
) -> None:
    """Where the system allows no room, one line names the file, which stays as it was."""
    model = torch.nn.Linear(100, 90)
    optimizer = torch.optim.Adadelta(model.named_parameters())
    model(torch.ones(1, 100)).sum().backward()
    optimizer.step()
    torch.save(optimizer.state_dict(), tmp_path / "c.pt")
    (tmp_path / name).write_bytes(b"mine")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        if name.endswith("h5"):
            with (
                pytest.raises(OSError, match="this file was not written") as error,
                atomic.placing(tmp_path / name) as file,
            ):
                keras_file.write(file, {"0": np.ones(100_000)}, None)
            assert error.value.filename == str(tmp_path / name)
        else:
            words = [tmp_path / "c.pt", tmp_path / name, "--force"]
            assert converted(*words, "--lang", "zh") == 1
            said = capsys.readouterr().err
            assert said.count("\n") == 1 and str(tmp_path / name) in said
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / name).read_bytes() == b"mine"
    assert sorted(os.listdir(tmp_path)) == sorted(["c.pt", name])


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("name", ["new.pt", "new.safetensors"])
def test_a_file_that_comes_meanwhile_stays(
    name: str, links: bool, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --force no file is replaced, one that came while the state was converted neither."""
    torch.save(forty(Torch(torch.optim.AdamW), "float32").state, tmp_path / "c.pt")
    there, made = tmp_path / name, conversion.made

    def meanwhile(*given: Any) -> Any:
        there.write_bytes(b"theirs")
        return made(*given)

    if not links:
        # As on file systems without second names for files.
        monkeypatch.setattr(os, "link", functools.partial(refuse, PermissionError(1, "no links")))
    with monkeypatch.context() as later:
        later.setattr(conversion, "made", meanwhile)
        assert converted(tmp_path / "c.pt", there) == 1
        assert "--force" in capsys.readouterr().err and there.read_bytes() == b"theirs"
        assert sorted(os.listdir(tmp_path)) == sorted(["c.pt", name])
        assert converted(tmp_path / "c.pt", there, "--force") == 0
    written = there.read_bytes()
    there.unlink()
    assert converted(tmp_path / "c.pt", there) == 0 and there.read_bytes() == written
    assert sorted(os.listdir(tmp_path)) == sorted(["c.pt", name])


def refuse(error: Exception, *given: Any) -> None:
    """Raise an error, whatever is asked."""
    raise error


def test_a_conversion_is_locked_and_settled(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once are refused, and the folder's names are brought to the disk, as by a save."""
    torch.save(forty(Torch(torch.optim.AdamW), "float32").state, tmp_path / "c.pt")
    synced, real = [], os.fsync

    def fsync(file: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(file).st_mode))
        if len(synced) == 1:
            assert converted(tmp_path / "c.pt", tmp_path / "new.pt", "--force") == 1
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    assert converted(tmp_path / "c.pt", tmp_path / "new.pt") == 0 and synced == [False, True]
    assert "somebody else is saving" in capsys.readouterr().err


def test_shapes_are_asked_for(tmp_path: Path, capsys: Captured) -> None:
    """Where a state does not tell shapes, the command asks for the parameters, and takes them."""
    model = torch.nn.Linear(2, 3)
    optimizer = torch.optim.SGD(model.named_parameters(), lr=0.1)
    torch.save(optimizer.state_dict(), tmp_path / "c.pt")
    there = tmp_path / "r.safetensors"
    assert converted(tmp_path / "c.pt", there) == 1
    assert "--params" in capsys.readouterr().err
    safetensors.torch.save_file(model.state_dict(), tmp_path / "m.safetensors")
    assert converted(tmp_path / "c.pt", there, "--params", tmp_path / "m.safetensors") == 0
    assert adamas.open_file(there).parameters == {"weight": (3, 2), "bias": (3,)}
    torch.save({"m": model.state_dict(), "o": optimizer.state_dict()}, tmp_path / "both.pt")
    assert converted(tmp_path / "both.pt", there, "--force") == 0


def test_a_file_of_its_own_may_be_written_over(tmp_path: Path) -> None:
    """`--force` writes over a file, and all names of parameters stay."""
    first = forty(Torch(torch.optim.AdamW), "float32")
    place = tmp_path / "c.pt"
    torch.save({"optimizer": first.state}, place)
    assert converted(place, place, "--force", "--to", "adamas.torch.AdamW") == 0
    groups = torch.load(place)["param_groups"]
    assert groups[0]["param_names"] == list(NAMES) and groups[0]["rule"] == "adamw"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_library_that_is_not_there_is_named(
    language: str, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the target's library is missing, one line says how to install it."""
    arrays = {"w": np.ones(3, np.float32)}
    optimizer = adamas.AdamW(arrays)
    optimizer.step({"w": np.ones(3, np.float32)})
    optimizer.save(tmp_path / "run.safetensors")
    for name in ("torch", "jax", "jax.numpy", "optax"):
        monkeypatch.setitem(sys.modules, name, None)
    for new, words, package in [
        ("out.pt", [], "torch"),
        ("out.pt", ["--to", "torch.AdamW"], "torch"),
        ("out.safetensors", ["--to", "adamas.torch.AdamW"], "torch"),
        ("out.safetensors", ["--to", "optax.adamw(1e-3)"], "jax"),
    ]:
        there = tmp_path / new
        assert converted(tmp_path / "run.safetensors", there, *words, "--lang", language) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and f"pip install {package}" in said and str(there) in said
        assert ("写" in said) == (language == "zh") and not there.exists()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_help_speaks_of_options_that_there_are(language: str, capsys: Captured) -> None:
    """Every option that the help of the command names is one of the command."""
    with pytest.raises(SystemExit):
        converted("--help", "--lang", language)
    said = capsys.readouterr().out
    listed = set(re.findall(r"^  (?:-h, )?(--[a-z]+)", said, re.MULTILINE))
    assert {"--state", "--params"} <= listed and set(re.findall(r"--[a-z]+", said)) <= listed

"""A state in a directory: the same bits as in memory, and found again when it is opened anew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.disk import disk, runner
from adamas.disk.undo import Undo
from adamas.rules import AVERAGES, adafactor, adamw, lamb, lion, muon, nadam, prodigy
from filled import same

Arrays = dict[str, np.ndarray[Any, Any]]
MODEL, STATE = "model.safetensors", "state.safetensors"


@pytest.fixture(autouse=True)
def _many_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "WINDOW", 1 << 14)
    monkeypatch.setattr(runner, "MOST", 1 << 15)


def begin(dtype: str = "float32") -> Arrays:
    """Parameters before the first step: several slices, one, some elements, none."""
    rng = np.random.default_rng(0)
    shapes = {"w": (300, 128), "table": (700, 64), "b": (7,), "one": (), "no": (0, 3)}
    made = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    if dtype == "bfloat16":
        return {k: np.asarray(one.view(np.uint32) >> 16, np.uint16) for k, one in made.items()}
    return {k: np.asarray(one, dtype) for k, one in made.items()}


def gradients(step: int) -> Arrays:
    """Those of a step, which depend on its number alone."""
    rng = np.random.default_rng(step)
    return {k: np.asarray(rng.normal(size=p.shape), np.float32) for k, p in begin().items()}


def on_disk(folder: Path, params: Arrays) -> Arrays:
    """The same parameters in a file, mapped; what is there is opened."""
    place = folder / MODEL
    if not place.exists():
        adamas.save(place, adamas.SGD(np.zeros(1)), params)
    return adamas.open_params(place)


CASES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "int8": (adamw, "float32", {"state": "int8", "clip_norm": 3.0}),
    "int4": (adamw, "float32", {"state": {"m": "int4", "v": "int4"}}),
    "master": (lion, "bfloat16", {"state": "int8", "master": 16, "zero_grads": True}),
    "rounding": (adamw, "bfloat16", {"state": "bfloat16", "ema": 0.9, "track_norm": True}),
    "scalars": (nadam, "float64", {"threads": 2, "observe": True}),
    "rows and columns": (adafactor, "float32", {}),
    "sums": (lamb, "float32", {"state": "int8"}),
    "one number for all": (prodigy, "float32", {"on_nonfinite": "raise"}),
    "matrices": (muon, "float32", {}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_bits_as_in_memory(case: str, tmp_path: Path) -> None:
    """Every rule and format steps on disk as in memory, with the directory opened anew between."""
    rule, dtype, options = CASES[case]
    params = begin(dtype)
    if rule is muon:
        params = {name: params[name] for name in ("w", "table")}
    mapped = on_disk(tmp_path, params)
    alone = adamas.Optimizer(rule, params, lr=0.01, **options)
    for k in range(3):
        other = adamas.Optimizer(rule, mapped, lr=0.01, state_dir=tmp_path / "run", **options)
        assert other.steps == k
        for optimizer in (alone, other):
            grads = gradients(k)
            optimizer.step({name: grads[name] for name in params})
        assert same(other.state_dict(), alone.state_dict())
        assert all(np.array_equal(p, mapped[name]) for name, p in params.items())
        assert other.grad_norm == alone.grad_norm or np.isnan(alone.grad_norm)
        del optimizer, other
    assert (tmp_path / "run" / "undo").stat().st_size == 0


def test_several_rules_and_gradients_left_out(tmp_path: Path) -> None:
    """Groups of several rules step together, and a parameter without a gradient stays."""

    def groups(params: Arrays) -> list[dict[str, Any]]:
        first, others = {"w": params["w"]}, {k: v for k, v in params.items() if k != "w"}
        return [{"params": first, "rule": "lion"}, {"params": others, "lr": 0.1}]

    params = begin()
    alone = adamas.AdamW(groups(params), state="int8")
    mapped = on_disk(tmp_path, begin())
    other = adamas.AdamW(groups(mapped), state="int8", state_dir=tmp_path / "run")
    for k in range(3):
        grads: dict[str, Any] = {**gradients(k), **({"w": None} if k == 1 else {"b": None})}
        w = grads.pop("w")
        for optimizer in (alone, other):
            optimizer.step([{"w": w}, grads])
    assert same(other.state_dict(), alone.state_dict())
    assert all(np.array_equal(p, mapped[name]) for name, p in params.items())


def test_rows_on_disk(tmp_path: Path) -> None:
    """Rows of a table that lies in a file get the bits they get in memory; others are not read."""
    params, mapped = begin("bfloat16"), on_disk(tmp_path, begin("bfloat16"))
    alone = adamas.AdamW(params, state="int8", master=8)
    other = adamas.AdamW(mapped, state="int8", master=8, state_dir=str(tmp_path / "run"))
    for k in range(4):
        rng = np.random.default_rng(k)
        rows = rng.integers(0, 700, 100)
        grads = adamas.Rows(rows, rng.normal(size=(100, 64)).astype(np.float32))
        for optimizer in (alone, other):
            optimizer.step({**gradients(k), "table": grads if k < 3 else None})
    assert same(other.state_dict(), alone.state_dict())
    assert all(np.array_equal(p, mapped[name]) for name, p in params.items())


@pytest.mark.parametrize("rows", [1_000, 20_000])
def test_rows_cost_what_they_are(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a table is, a step of ten rows of it writes those down, and nothing else."""
    table = {"table": np.ones((rows, 64), np.float32)}
    optimizer = adamas.AdamW(on_disk(tmp_path, table), state="int8", state_dir=tmp_path / "run")
    noted: list[int] = []
    real = Undo.note_rows

    def note(self: Undo, number: int, places: Any, bytes_of: Any) -> None:
        noted.append(bytes_of.size)
        real(self, number, places, bytes_of)

    monkeypatch.setattr(Undo, "note_rows", note)
    monkeypatch.setattr(Undo, "note", lambda self, number, source, begin, size: noted.append(begin))
    optimizer.step({"table": adamas.Rows(np.arange(5, 900, 90), np.ones((10, 64)))})
    # Ten rows of float32, two of codes and their scales; and the header, from byte 0 on.
    assert sum(noted) == 10 * 64 * 4 + 2 * 10 * (64 + 1)


def test_a_step_that_leaves_something_is_whole(tmp_path: Path) -> None:
    """What a guarded step leaves stays, all else moves, and the file counts the step."""
    params, mapped = begin(), on_disk(tmp_path, begin())
    alone = adamas.AdamW(params, state="int8")
    other = adamas.AdamW(mapped, state="int8", state_dir=tmp_path / "run")
    for optimizer in (alone, other):
        grads = gradients(0)
        grads["w"][3, 5] = np.nan
        with pytest.raises(adamas.NonFiniteError, match="'w'"):
            optimizer.step(grads)
    assert same(other.state_dict(), alone.state_dict())
    assert adamas.open_file(tmp_path / "run" / STATE).steps == other.steps == 1


def test_a_skipped_step_changes_no_byte(tmp_path: Path) -> None:
    """A step that is skipped for a NaN leaves files as they were."""
    mapped = on_disk(tmp_path, begin())
    optimizer = adamas.AdamW(mapped, on_nonfinite="skip", state_dir=tmp_path / "run")
    optimizer.step(gradients(0))
    files = (tmp_path / MODEL, tmp_path / "run" / STATE)
    before = [file.read_bytes() for file in files]
    assert not optimizer.step({**gradients(1), "b": np.full(7, np.inf, np.float32)})
    assert [file.read_bytes() for file in files] == before and optimizer.skipped == 1


def test_the_file_is_the_checkpoint(tmp_path: Path) -> None:
    """Another optimizer loads the state file as it is, and an optimizer there loads any file."""
    params = begin()
    optimizer = adamas.AdamW(params, state="int8", lr=0.5, state_dir=tmp_path / "run")
    optimizer.step(gradients(0))
    other = adamas.AdamW(begin(), state="int8")
    assert other.load(tmp_path / "run" / STATE).steps == 1
    assert same(other.state_dict(), optimizer.state_dict())
    other.step(gradients(1))
    optimizer.load_state_dict(other.state_dict())
    other.save(tmp_path / "other.safetensors")
    third = adamas.AdamW(begin(), state="int8", state_dir=tmp_path / "third")
    third.load(tmp_path / "other.safetensors")
    del optimizer, third
    for name in ("run", "third"):
        found = adamas.AdamW(begin(), state="int8", state_dir=tmp_path / name)
        assert same(found.state_dict(), other.state_dict())


def test_opened_in_another_order(tmp_path: Path) -> None:
    """Parameters are matched by name, and go on bit for bit in whatever order they come."""
    params, mapped = begin("bfloat16"), on_disk(tmp_path, begin("bfloat16"))
    alone = adamas.AdamW(params, state="int8")
    for turn in (1, -1, 1):
        order = {name: mapped[name] for name in list(params)[::turn]}
        other = adamas.AdamW(order, state="int8", state_dir=tmp_path / "run")
        for optimizer in (alone, other):
            optimizer.step(gradients(alone.steps if optimizer is alone else other.steps))
        assert all(np.array_equal(p, mapped[name]) for name, p in params.items())
        del optimizer, other


def test_settings_are_those_of_the_file(tmp_path: Path) -> None:
    """Hyper-parameters that were changed between steps are found again, as by `load`."""
    optimizer = adamas.AdamW(begin(), lr=0.1, state_dir=tmp_path)
    optimizer.param_groups[0]["lr"] = 0.05
    optimizer.step(gradients(0))
    del optimizer
    assert adamas.AdamW(begin(), lr=0.1, state_dir=tmp_path).param_groups[0]["lr"] == 0.05


def test_a_copy_lives_in_memory(tmp_path: Path) -> None:
    """A copy of an optimizer on disk steps on its own, in memory."""
    import copy

    optimizer = adamas.AdamW(begin(), state="int8", state_dir=tmp_path)
    optimizer.step(gradients(0))
    before = (tmp_path / STATE).read_bytes()
    other = copy.deepcopy(optimizer)
    other.step(gradients(1))
    assert (tmp_path / STATE).read_bytes() == before and (optimizer.steps, other.steps) == (1, 2)


def refusing(**changed: Any) -> Callable[[Path], Any]:
    """A call that makes an optimizer in a directory with something else than before."""

    def make(folder: Path) -> Any:
        given = {"params": begin(), "rule": adamw, "state": "int8", **changed}
        return adamas.Optimizer(given.pop("rule"), given.pop("params"), state_dir=folder, **given)

    return make


OTHERS = {
    "rule": (refusing(rule=lion), "the state of rule 'adamw'"),
    "names": (refusing(params={"w": np.ones((300, 128), np.float32)}), "'table'"),
    "shape": (refusing(params={**begin(), "b": np.ones(8, np.float32)}), r"'b' is \[7\].*\[8\]"),
    "format": (refusing(state="int4"), "'state/w/m' is I8"),
    "master": (refusing(params=begin("bfloat16"), master=8), "lacks 'state/w/p.rest'"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_does_not_fit_is_refused(what: str, tmp_path: Path) -> None:
    """Another rule, name, shape or format is one error, and no byte is changed by it."""
    refusing()(tmp_path).step(gradients(0))
    before = (tmp_path / STATE).read_bytes()
    make, message = OTHERS[what]
    with pytest.raises(ValueError, match=message) as error:
        make(tmp_path)
    assert STATE in str(error.value) and "\n" not in str(error.value)
    assert (tmp_path / STATE).read_bytes() == before
    assert refusing()(tmp_path).steps == 1


def test_what_cannot_be_kept_is_refused_by_name(tmp_path: Path) -> None:
    """Schedule-free rules, odd orders and parts of a file say why, and make nothing."""
    place = tmp_path / "run"
    turned = {"w": np.asfortranarray(np.ones((5, 6)))}
    with pytest.raises(ValueError, match="'w' lies in another order"):
        adamas.AdamW(turned, state_dir=place)
    with pytest.raises(ValueError, match="moves parameters between steps"):
        adamas.Optimizer(next(iter(AVERAGES)), begin(), state_dir=place)
    part = {"w": on_disk(tmp_path, begin())["w"][:, ::2]}
    with pytest.raises(ValueError, match="'w' is a part of an array of open_params"):
        adamas.AdamW(part, state_dir=place)
    with pytest.raises(TypeError, match="state_dir=3 must be the path"):
        adamas.AdamW(begin(), state_dir=3)  # type: ignore[arg-type]
    assert not place.exists()


def test_torch_says_where_it_goes(tmp_path: Path) -> None:
    """adamas.torch refuses a directory with the reason, before anything is made."""
    torch = pytest.importorskip("torch")
    import adamas.torch

    with pytest.raises(ValueError, match="state_dir= is for arrays"):
        adamas.torch.AdamW([torch.ones(3, requires_grad=True)], state_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_open_params_of_any_file(tmp_path: Path) -> None:
    """The arrays of a file of another program are those of the file, to be written in place."""
    from safetensors.numpy import load_file, save_file

    place = tmp_path / "any.safetensors"
    save_file({"a": np.arange(6.0).reshape(2, 3), "b": np.ones(3, np.int64)}, place)
    found = adamas.open_params(place)
    found["a"][1, 2] = -1
    assert load_file(place)["a"][1, 2] == -1 and found["b"].tolist() == [1, 1, 1]
    with pytest.raises(FileNotFoundError):
        adamas.open_params(tmp_path / "none")
    for name, content in (("empty", b""), ("short", b"{}"), ("bad", bytes(100))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=name):
            adamas.open_params(tmp_path / name)

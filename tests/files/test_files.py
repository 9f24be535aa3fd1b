"""An optimizer that was saved into a file goes on bit for bit, by name, or says why not."""

import mmap
import tracemalloc
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

import adamas
from adamas import rules
from filled import filled, same
from stepping import Array, make, snapshot


def params(seed: int = 0) -> dict[str, Array]:
    """Parameters of every dtype and of three memory orders."""
    rng = np.random.default_rng(seed)
    cube = rng.normal(size=(16, 5, 70)).astype(np.float32)
    return {
        "in.weight": np.asfortranarray(rng.normal(size=(70, 64)).astype(np.float32)),
        "编码/b": rng.normal(size=5),
        "cube": cube.transpose(1, 2, 0),
        "half": rng.normal(size=(65, 64)).astype(ml_dtypes.bfloat16),
        "none": np.zeros((0, 3), np.float32),
    }


@pytest.mark.parametrize("rule", rules.__all__)
def test_every_rule_is_in_a_file_as_it_is(rule: str, tmp_path: Path) -> None:
    """Whatever a rule keeps, in whatever format, comes back to the last bit, from other orders."""
    few = ("float32", "bfloat16", "int4") if rule in ("adamw", "lion", "muon") else ()
    for state in (*few, "int8"):
        first = filled(make(rule, params(), state=state, master=8))
        first.save(tmp_path / "a.safetensors")
        turned = dict(reversed(params().items()))
        second = make(rule, turned, state=state, master=8)
        second.load(tmp_path / "a.safetensors")
        one, other = first.state_dict(), second.state_dict()
        assert one["state"].keys() == other["state"].keys()
        assert same(one | {"param_groups": 0}, other | {"param_groups": 0})


@pytest.mark.parametrize("state", ["bfloat16", "int8"])
def test_a_run_goes_on_bit_for_bit(state: str, tmp_path: Path) -> None:
    """Steps before and after a file, rounding at random among them, are those of one run."""
    rng = np.random.default_rng(1)
    drawn = [{k: rng.normal(size=p.shape) for k, p in params().items()} for _ in range(6)]
    grads = [{k: g.astype(np.float32) for k, g in each.items()} for each in drawn]
    whole = adamas.AdamW(params(), lr=adamas.schedule.cosine(0.1, steps=6), state=state, seed=7)
    first = adamas.AdamW(params(), lr=adamas.schedule.cosine(0.1, steps=6), state=state, seed=7)
    for grad in grads[:3]:
        whole.step(grad)
        first.step(grad)
    place = tmp_path / "a.safetensors"
    own = dict(zip(first.param_groups[0]["names"], first.param_groups[0]["params"], strict=True))
    adamas.save(place, first, params=own, extra={"epoch": 3})
    values = {name: np.empty_like(p) for name, p in params().items()}
    second = adamas.AdamW(values, lr=adamas.schedule.cosine(0.1, steps=6), state=state, seed=0)
    file = second.load(place)
    for name, array in file.params.items():
        values[name].view(array.dtype)[...] = array
    for grad in grads[3:]:
        whole.step(grad)
        second.step(grad)
    assert snapshot(whole) == snapshot(second)
    assert file.extra == {"epoch": 3} and file.steps == 3


def test_groups_of_several_rules_go_on(tmp_path: Path) -> None:
    """Groups that name their rules, and settings of groups, are in the file."""

    def made(lr: float) -> adamas.Optimizer:
        p = params()
        groups = [
            {"params": {"cube": p["cube"]}, "rule": "lion", "lr": lr},
            {"params": {"in.weight": p["in.weight"]}, "weight_decay": lr},
        ]
        return adamas.AdamW(groups, state="int8", ema=0.9)

    first, second = filled(made(0.25)), made(0.125)
    first.save(tmp_path / "a")
    second.load(tmp_path / "a")
    assert same(first.state_dict(), second.state_dict())
    assert set(adamas.open_file(tmp_path / "a").rules) == {"lion", "adamw"}


def test_the_safetensors_library_reads_the_same_arrays(tmp_path: Path) -> None:
    """The file is one that anybody's safetensors reads: state and parameters, at their dtypes."""
    first = filled(make("adamw", params(), state="int8"))
    first.save(tmp_path / "a.safetensors", params=params(), extra={"x": np.arange(3) * 2j})
    found = safetensors.numpy.load_file(tmp_path / "a.safetensors")
    for name, array in params().items():
        assert found.pop(name).tobytes() == array.tobytes(), name
    for key, entry in first.state_dict()["state"].items():
        for name, value in entry.items():
            if isinstance(value, np.ndarray):
                assert np.array_equal(found.pop(f"state/{key}/{name}"), value)
    assert np.array_equal(found.pop("extra/x"), [[0, 0], [0, 2], [0, 4]]) and not found


TREES: list[Any] = [
    None, True, 3, -(1 << 80), 2.5, float("inf"), "文", [], {}, (), [1, (2.0, "x", None)],
    {"a": {1: 2, "1": [3]}, "$tensor": "w"}, np.arange(6.0).reshape(2, 3).T, np.float32(1.5),
    np.arange(4, dtype=np.complex64), np.ones((2, 2)) * 1j, np.array(True),
    np.arange(3, dtype=">i4"),
]  # fmt: skip


@pytest.mark.parametrize("extra", TREES, ids=repr)
def test_extra_comes_back(extra: Any, tmp_path: Path) -> None:
    """What is plain data comes back as it was, arrays in this machine's byte order."""
    adamas.SGD([np.ones(3)]).save(tmp_path / "a", extra=extra)
    found = adamas.open_file(tmp_path / "a").extra
    if isinstance(extra, np.ndarray | np.generic):
        assert found.dtype == extra.dtype.newbyteorder("=") and np.array_equal(found, extra)
    else:
        assert same(found, extra)


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(("given", "said"), [
    ({"extra": {"f": len}}, r"extra\['f'\] is builtin_function_or_method"),
    ({"extra": LOOP}, "extra is nested too deep for a file, or holds itself"),
    ({"extra": {1.5: 0}}, "extra has the key 1.5"),
    ({"extra": np.array(["a"])}, "extra is an array of <U1"),
    ({"extra": np.ma.array([1.0])}, "extra is masked"),
    ({"params": [np.ones(3)]}, "params= is a dict of arrays by name"),
    ({"params": {"w": 3}}, r"params\['w'\] is int"),
    ({"params": {"state/0/m": np.ones(3)}}, "two arrays would be called 'state/0/m'"),
    ({"params": {"__metadata__": np.ones(3)}}, "safetensors keeps the name '__metadata__'"),
    ({"keep": 0}, "keep=0 must be"),
])  # fmt: skip
def test_what_no_file_can_hold_is_named(given: Any, said: str, tmp_path: Path) -> None:
    """Code, loops and odd arrays are refused by their place, before anything is written."""
    optimizer = adamas.Adam([np.ones(3)])
    with pytest.raises((TypeError, ValueError), match=said):
        optimizer.save(tmp_path / "a", **given)
    assert list(tmp_path.iterdir()) == []


def test_all_names_that_do_not_fit_are_one_error(tmp_path: Path) -> None:
    """Missing, unknown and misshapen parameters are listed together; else what fits is loaded."""
    first = filled(make("adamw", {"a": np.ones(3), "b": np.ones((2, 3)), "c": np.ones(4)}))
    first.save(tmp_path / "f")
    second = make(
        "adamw", {"c": np.ones(4), "b": np.ones((3, 2)), "d": np.ones(1), "e": np.ones(2)}
    )
    before = snapshot(second)
    with pytest.raises(
        ValueError, match=r"/f': it lacks 'd', 'e'; it has 'a' besides; 'b' is "
    ) as e:
        second.load(tmp_path / "f")
    assert "[2, 3], here [3, 2]" in str(e.value) and snapshot(second) == before
    file = second.load(tmp_path / "f", strict=False)
    assert (file.missing, file.unknown, file.misshapen) == (["d", "e"], ["a"], ["b"])
    assert same(first.state_dict()["state"]["c"], second.state_dict()["state"]["c"])
    assert second.state["b"]["step"] == 0
    third = make("adamw", {"x": np.ones(3)})
    for strict in (True, False):
        # Nothing is offered that would not help.
        with pytest.raises(ValueError, match=r"none of its parameters fits: .* besides\.$"):
            third.load(tmp_path / "f", strict=strict)


def test_another_rule_is_refused(tmp_path: Path) -> None:
    """Another rule, another formula of the same name, or another storage changes nothing."""

    def sgd(p: Any, g: Any, *, lr: float = 0.5, weight_decay: float = 0.0) -> Any:
        return p - 2 * lr * (g + weight_decay * p)

    arrays = {"w": np.ones((70, 70))}
    make("sgd", arrays).save(tmp_path / "f")
    mine = adamas.Optimizer(sgd, arrays)
    with pytest.raises(ValueError, match="another rule that is called 'sgd'"):
        mine.load(tmp_path / "f")
    assert mine.param_groups[0]["lr"] == 0.5
    mine.load(tmp_path / "f", strict=False)
    assert mine.param_groups[0]["lr"] == make("sgd", arrays).param_groups[0]["lr"]
    with pytest.raises(ValueError, match=r"/f': this is the state of rule 'sgd'"):
        make("adam", arrays).load(tmp_path / "f")
    filled(make("adam", arrays)).save(tmp_path / "f")
    other = make("adam", arrays, state="int8")
    before = snapshot(other)
    with pytest.raises(ValueError, match=r"/f': .* 'w' differs.* with another state="):
        other.load(tmp_path / "f")
    assert snapshot(other) == before


def of_files() -> int:
    """How many bytes of files are in this process' memory; 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[2]) * mmap.PAGESIZE if statm.exists() else 0


def test_memory_maps_of_others_keep_what_was_written(tmp_path: Path) -> None:
    """What somebody wrote into an array of a file is there after it was loaded."""
    first = filled(adamas.AdamW({"w": np.ones((200, 300), np.float32)}))
    first.save(tmp_path / "a")
    saved = adamas.open_file(tmp_path / "a").state()
    array = saved["state"]["w"]["m"]
    array[...] = 5
    first.load_state_dict(saved)
    assert (first.state["w"]["m"] == 5).all() and (array == 5).all()


def test_saving_takes_little_memory(tmp_path: Path) -> None:
    """A large state is written in pieces, whatever its memory order; so is it read."""
    big = np.zeros((1500, 2000), np.float32)
    optimizer = adamas.AdamW({"c": big, "f": np.asfortranarray(big)})
    for entry in optimizer.state.values():
        entry["m"][...] = np.arange(big.size).reshape(big.shape)
    before = optimizer.state_dict()
    tracemalloc.start()
    optimizer.save(tmp_path / "a")
    for entry in optimizer.state.values():
        entry["m"][...] = 0
    mapped = of_files()
    optimizer.load(tmp_path / "a")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert same(optimizer.state_dict(), before)
    assert before["state"]["c"]["m"].nbytes * 4 == 48_000_000 and peak < 24_000_000
    assert of_files() - mapped < 12_000_000

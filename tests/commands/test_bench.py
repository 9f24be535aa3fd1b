"""The comparison with other libraries: every side does the same work, and every record is whole.

No time is asserted; sizes are tiny.
"""

import importlib
import json
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.bench import peers, timing
from adamas.bench import run as bench
from adamas.cli_language import width_of
from adamas.codecs import BLOCK
from chinese_pages import english
from long_form import LONG
from places import ROOT

SIZE, ROUNDS = 1000, 1
FEW = 1 << 16  # enough for few bits


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import a module of the package `benchmarks`, which is not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"benchmarks.{name}")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every pause and every sample of a race as short as can be."""
    monkeypatch.setattr(timing, "PAUSE", 0.0)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(timing, "MOST_STEPS", 2)


def adamw_in_float64(g: np.ndarray[Any, Any], steps: int, decay: float) -> np.ndarray[Any, Any]:
    """AdamW on ones with a constant gradient: then m_hat = g and v_hat = g * g at every step."""
    p = np.ones(g.shape)
    for _ in range(steps):
        p = (1 - 1e-3 * decay) * p - 1e-3 * g / (np.abs(g.astype(np.float64)) + 1e-8)
    return p


def test_all_sides_do_adamw(full: Callable[[str], ModuleType]) -> None:
    """A side that is faster because it does something else would be found out."""
    grads = peers.gradients([(10, 30), 7])
    ground = full("shared").Ground
    contestants = {
        "adamas": peers.adamas_side(grads),
        "torch": peers.torch_side(grads, fused=True),
        "optax": peers.optax_side(grads),
        "NumPy": peers.numpy_side(grads),
        # Each alone on a ground of its own: the first step made its moments there.
        "ground": ground(grads).adamas(),
        "ground, fresh": ground(grads).adamas_fresh(),
    }
    for name, side in contestants.items():
        for _ in range(4 if "ground" in name else 5):
            side.step()
        decay = 0.0 if name == "NumPy" else 1e-2
        expected = adamw_in_float64(grads[0], 5, decay)
        np.testing.assert_allclose(side.result(), expected, rtol=1e-5, err_msg=name)


FEW_BITS = {
    "bfloat16": (partial(peers.adamas_side, state="bfloat16"), 4.0),
    "int8": (partial(peers.adamas_side, state="int8"), 2 + 2 / BLOCK),
    "int4": (partial(peers.adamas_side, state="int4"), 1 + 2 / BLOCK),
    # A map of 256 numbers for each moment, and a scale for every 256 elements.
    "bitsandbytes": (peers.bitsandbytes_side, 2 + 2 * 4 / 256 + 2 * 4 * 256 / FEW),
}


@pytest.mark.parametrize("name", FEW_BITS)
def test_sides_in_few_bits_do_adamw(name: str) -> None:
    """A side in few bits walks AdamW's way on average, in the bytes that its format takes."""
    if name == "bitsandbytes":
        pytest.importorskip("bitsandbytes")
    make, held = FEW_BITS[name]
    grads = peers.gradients([FEW])
    side = make(grads)
    for _ in range(5):
        side.step()
    way = adamw_in_float64(grads[0], 5, 1e-2) - 1
    # Standing still would be 1 and going astray 2; four bits shorten the way of small gradients.
    bound = 0.4 if name == "int4" else 0.2
    assert np.abs(side.result() - 1 - way).mean() < bound * np.abs(way).mean()
    assert side.held() / FEW == pytest.approx(held)


def test_sides_in_bfloat16_do_adamw(full: Callable[[str], ModuleType]) -> None:
    """bfloat16 parameters arrive where AdamW does, within what bfloat16 can tell apart."""
    halves = peers.upper_halves(peers.gradients([FEW]))
    g = peers.widened(halves[0])
    ours = peers.adamas_bfloat16_side(halves, state="int8", master=16, lr=0.05, weight_decay=0.0)
    theirs = peers.torch_bfloat16_side(halves, lr=0.05)
    for side in (ours, theirs):
        for _ in range(3):
            side.step()
        # With a constant gradient every step of Adam is lr long.
        assert np.abs(side.result() - 1 + 0.15 * np.sign(g)).mean() < 0.03
    assert theirs.held() / FEW == pytest.approx(4, abs=0.01)
    params = peers.half_ones(halves)
    huge = full("sides").torch_bfloat16_huge_side(halves, params)
    huge.step()
    assert huge.held() == theirs.held()
    np.testing.assert_array_equal(huge.result(), peers.widened(params[0]))


def test_peers_that_are_not_installed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out is said, with the package that is missing."""
    monkeypatch.setattr(peers, "find_spec", lambda _: None)
    found, missing = peers.few_bit_peers(peers.gradients([SIZE]))
    assert not found
    assert [line["en"].partition(":")[0] for line in missing] == list(peers.FEW_BITS)
    assert "bitsandbytes is not installed" in missing[0]["en"]


@pytest.mark.parametrize(
    ("width", "state", "moved"), [(4, 8, 28), (4, 4, 20), (4, 2, 16), (4, 1, 14), (2, 2, 10)]
)
def test_a_limit_moves_the_bytes_it_says(
    width: int, state: int, moved: int, full: Callable[[str], ModuleType]
) -> None:
    """The bytes of the issue's list, in arrays of just that size, all of which are written."""
    limits = full("limits")
    traffic = limits.Traffic(width, state)
    assert traffic.moved == moved
    grad = np.full(FEW, 1, np.uint16 if width == 2 else np.uint32)
    side = limits.Room(FEW).side(traffic, grad)
    side.step()
    assert side.held() == state * FEW
    # One addition to every 64-bit word of the parameter.
    assert side.result().size * 8 == width * FEW
    np.testing.assert_array_equal(side.result(), np.float32(grad.view(np.int64)[0]))


def test_the_system_counts_what_a_state_holds(full: Callable[[str], ModuleType]) -> None:
    """Eight bytes a parameter in float32: the reading of a process of its own is no fiction."""
    size = 1 << 22
    assert full("resident").in_process("adamas float32", size) == pytest.approx(8, abs=1)


def test_the_limits_move_the_same_numbers(full: Callable[[str], ModuleType]) -> None:
    """Both memory limits read and write the arrays they claim: after n steps p = 1 - n(n+1)/2 g."""
    grads = peers.gradients([SIZE])
    arrays = [peers.ones(grads)[0], grads[0], *np.zeros((2, SIZE), np.float32)]
    for side in (peers.limit_side(grads), full("sides").loop_over([tuple(arrays)])):
        for _ in range(4):
            side.step()
        np.testing.assert_allclose(side.result(), 1 - 10 * grads[0], rtol=1e-5, atol=1e-5)


def test_sides_of_a_bar_step_the_same_arrays(full: Callable[[str], ModuleType]) -> None:
    """Nobody is faster for the memory that chance gave him: both sides move the same arrays."""
    shared, grads = full("shared"), peers.gradients([SIZE, (7, 3)])
    ground = shared.Ground(grads)
    theirs = ground.settled(fused=True)
    limit, loop = ground.limit(), ground.loop()
    for k, p in enumerate(theirs.param_groups[0]["params"]):
        assert np.shares_memory(p.detach().numpy(), ground.params[k])
        assert np.shares_memory(p.grad.numpy(), grads[k])
        for name, other in (("m", "exp_avg"), ("v", "exp_avg_sq")):
            held = ground.optimizer.state[k][name]
            assert np.shares_memory(held, theirs.state[p][other].numpy())
    for step in (ground.adamas().step, theirs.step, limit.step, loop.step):
        before = [x.copy() for x in (ground.params[0], *ground.moments[0])]
        step()
        after = (ground.params[0], *ground.moments[0])
        assert all((x != y).any() for x, y in zip(before, after, strict=True))
    assert all(np.isfinite(x).all() for x in (*ground.params, *ground.moments[0]))


@pytest.mark.parametrize("kind", ["float32", "bfloat16 state", "bf16 p and g, int8 state"])
def test_the_guard_is_timed_in_one_memory(kind: str, full: Callable[[str], ModuleType]) -> None:
    """Default and `allow` keep codes, scales and moments in the same tensors, step after step."""
    guard, states = full("guard"), full("shared").states
    given = full("few_bits").Given(peers.gradients([FEW]))
    pair = guard.two(given, *guard.KINDS[kind])
    for _ in range(2):
        held = [states(o, o.param_groups[0]["params"][0]) for o in pair]
        assert len(held[0]) == (4 if "int8" in kind else 2)
        addresses = [{name: x.data_ptr() for name, x in each.items()} for each in held]
        assert addresses[0] == addresses[1]
        assert len({o.param_groups[0]["params"][0].data_ptr() for o in pair}) == 1
        for optimizer in pair:
            optimizer.step()


def test_the_whole_step_does_what_three_calls_do(full: Callable[[str], ModuleType]) -> None:
    """The fused step and torch's three calls end at the same parameters."""
    grads = peers.gradients([SIZE])
    ours = peers.adamas_side(grads, clip_norm=1.0, ema=0.999)
    theirs = full("training").torch_calls(grads)
    for _ in range(3):
        ours.step()
        theirs.step()
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-5)


@pytest.mark.parametrize("name", ["grams", "yogi"])
def test_own_rules_follow_their_papers(name: str, full: Callable[[str], ModuleType]) -> None:
    """Grams and Yogi are what somebody else reads in the same papers."""
    import pytorch_optimizer
    import torch

    random = np.random.default_rng(1)
    p = random.standard_normal(50)
    q = torch.nn.Parameter(torch.from_numpy(p.copy()))
    ours = adamas.rule(getattr(full("own_rules"), name))(p, lr=1e-2, eps=1e-6)
    if name == "grams":
        ours.param_groups[0]["weight_decay"] = 0.0
        theirs: torch.optim.Optimizer = pytorch_optimizer.Grams([q], lr=1e-2, eps=1e-6)
    else:
        theirs = pytorch_optimizer.Yogi([q], lr=1e-2, eps=1e-6, initial_accumulator=0.0)
    for _ in range(5):
        g = random.standard_normal(50)
        q.grad = torch.from_numpy(g.copy())
        ours.step(g)
        theirs.step()
    np.testing.assert_allclose(p, q.detach().numpy(), rtol=1e-9)


@pytest.mark.usefixtures("short")
def test_the_section_in_few_bits_is_whole(
    full: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every side has its times, its bytes and its share of the limit; a missing peer is named."""
    few = full("few_bits")
    for name in peers.FEW_BITS:
        monkeypatch.setitem(few.ENTRIES, name, few.Entry(few.ENTRIES[name].make, package="none"))
    found = full("__main__").measure("bits", full("record").Plan(FEW, FEW, ROUNDS))
    cases = {case["title"]: case["samples"] for case in found["cases"]}
    ours = [name for name in few.ENTRIES if name not in peers.FEW_BITS]
    assert set(ours) <= cases["65,536"].keys()
    # The peers that are missing make no case, and no other side is anything but the default.
    assert list(cases) == ["65,536", "16,384", "1,024", "state", "moved", "of the memory limit"]
    assert list(cases["state"]) == list(cases["moved"]) == ours
    shares = [name for name in ours if "huge pages" not in name]
    assert list(cases["of the memory limit"]) == shares
    # Parameter and two moments read and written, the gradient read; a block has a scale of a byte.
    assert cases["moved"]["adamas float32"] == [28]
    assert cases["moved"]["adamas int8"] == [16 + 2 * 2 / BLOCK]
    assert cases["moved"]["adamas int8, bf16 p and g"] == [10 + 2 * 2 / BLOCK]
    assert all(name in found["note"] for name in peers.FEW_BITS)
    assert all(math.isfinite(figure["value"]) for figure in found["figures"])


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", ["guard", "large", "growth", "tiny", "rules", "whole"])
def test_a_section_is_whole(
    name: str, full: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A section has a ratio of each round for each pair, and its figures are numbers."""
    if not LONG:
        # Fewer of what is alike; every rule of one's own is in `test_own_rules_follow_...` too.
        monkeypatch.setattr(full("guard"), "MORE", 2)
        monkeypatch.setattr(full("training"), "PAIRS", full("training").PAIRS[:1])
    plan = full("record").Plan(SIZE, SIZE, ROUNDS)
    rounds = ROUNDS * (full("guard").MORE if name == "guard" else 1)
    found = full("__main__").measure(name, plan)
    assert json.loads(json.dumps(found)) == found
    for case in found["cases"]:
        assert all(len(ratios) == rounds for ratios in case["ratios"].values())
        assert {side for pair in case["ratios"] for side in pair.split(" / ")} == set(
            case["samples"]
        )
        assert all(x > 0 for samples in case["samples"].values() for x in samples)
    assert found["figures"]
    assert all(math.isfinite(figure["value"]) for figure in found["figures"])


def test_a_process_reports_its_transient_memory(full: Callable[[str], ModuleType]) -> None:
    """NumPy's temporaries are seen, so that none seen for adamas means none."""
    size = 1 << 18
    found = full("transient").in_process("NumPy tutorial", size)
    # Three temporaries live at once at the least: both corrected moments and one of the step.
    assert found["numpy"] > 3 * 4 * size / (1 << 20)


def test_a_fresh_process_is_timed_to_its_first_step(full: Callable[[str], ModuleType]) -> None:
    """The two clocks are one clock: a child's reading lies between the parent's."""
    startup = full("startup")
    assert 0 < startup.until_printed("import time; print(time.monotonic())", "") < 600


@pytest.mark.usefixtures("short")
def test_the_command_merges_and_renders(full: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """A second run of one section keeps the others, and the page is made from the file alone."""
    main = full("__main__")
    arguments = ["--out", str(tmp_path), "--machine", "box", "--rounds", "7", "--size", "0.001"]
    assert main.main([*arguments, "--only", "whole"]) == 0
    assert main.main([*arguments, "--only", "tiny"]) == 0
    saved = json.loads((tmp_path / "results" / "box.json").read_text("utf-8"))
    assert list(saved["sections"]) == ["tiny", "whole"]
    page = (tmp_path / "RESULTS.md").read_text("utf-8")
    (tmp_path / "RESULTS.md").unlink()
    assert main.main([*arguments, "--render"]) == 0
    assert (tmp_path / "RESULTS.md").read_text("utf-8") == page
    assert str(Path.home()) not in page


def test_too_few_rounds_are_refused(full: Callable[[str], ModuleType]) -> None:
    """A median of fewer than seven samples is not published."""
    with pytest.raises(SystemExit, match="2"):
        full("__main__").main(["--rounds", "3"])


@pytest.mark.usefixtures("short")
def test_the_short_form_writes_what_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`adamas bench` works with the core alone, ends with 0, and its file holds every sample."""
    monkeypatch.setattr(peers, "find_spec", lambda _: None)
    out = tmp_path / "bench.json"
    assert bench.run(size=SIZE, out=out, quick=False) == 0
    saved = json.loads(out.read_text("utf-8"))
    printed = capsys.readouterr().out
    assert len(saved["cases"]) == 3
    for case in saved["cases"]:
        assert next(iter(case["samples"])) == "adamas"
        assert "adamas, no check" not in case["samples"]
        assert case["state"]["adamas"] == 8
        assert not {"torch fused", "optax jitted"} & case["samples"].keys()
        assert case["title"] in printed
    assert "adamas int4" in saved["cases"][0]["samples"]
    assert printed.count("left out: ") == len(peers.FEW_BITS)
    assert saved["machine"]["versions"]["numpy"] == np.__version__


@pytest.mark.usefixtures("short")
def test_the_short_form_is_chinese(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `--lang zh` all that is printed but names is Chinese, and the file is what it is."""
    monkeypatch.setattr(peers, "find_spec", lambda _: None)
    out = tmp_path / "bench.json"
    assert bench.run(size=SIZE, out=out, quick=False, language="zh") == 0
    printed = capsys.readouterr().out
    assert printed.count("未测：") == len(peers.FEW_BITS) and "轮的中位数" in printed
    plain = printed.replace("NumPy tutorial", "").splitlines()
    here = next(line for line in plain if "load average" in line)
    assert english("".join(f"<p>{line}</p>" for line in plain if line != here)) == []
    assert json.loads(out.read_text("utf-8"))["cases"][0]["title"] == f"one array of {SIZE:,}"
    heads = [line for line in plain if "中位数   最小值" in line]
    assert {width_of(line) for line in heads} == {width_of(plain[plain.index(heads[0]) + 1])}


@pytest.mark.usefixtures("short")
def test_quick_is_one_comparison_with_every_installed_peer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`--quick` measures the large array only, beside torch and optax where they are installed."""
    assert bench.run(size=SIZE, out=None, quick=True) == 0
    printed = capsys.readouterr().out
    assert printed.count("AdamW, float32") == 1
    assert "torch fused" in printed
    assert "optax jitted" in printed
    assert "adamas int8" in printed
    assert "torchao 8-bit" not in printed


@pytest.mark.parametrize(
    ("size", "out", "reason"),
    [
        (0, None, "give 1 or more"),
        (1 << 60, None, "at most"),
        (10, Path("no/such/folder/x.json"), "make it first"),
        (10, ROOT, "name another file"),
    ],
)
def test_the_short_form_says_what_it_cannot_do(
    size: int, out: Path | None, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A size or a file that cannot be is refused at once, with the cure."""
    if size > 1 << 50 and not sys.platform.startswith("linux"):
        pytest.skip("free memory is read from /proc")
    assert bench.run(size=size, out=out, quick=True) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.01234, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234")],
)
def test_numbers_are_short_and_plain(value: float, text: str) -> None:
    """Three digits are shown, with thousands separated and no exponent."""
    assert bench.number(value) == text

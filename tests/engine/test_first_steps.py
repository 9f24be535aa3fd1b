"""What a rule sets up at the first step is set up at the first step of each row.

The runs beside are written here from the papers, one row at a time, each with its own first step.
"""

import itertools
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
from long_form import few_of, sampled
from stepping import Array, make, snapshot
from written import function

ROWS, WIDTH = 5, 3
LR, EMA = 0.1, 0.75


class Rowwise:
    """A table under a rule written per row: `step` gets the gradient of each named row."""

    def __init__(self, start: Array) -> None:
        self.p, self.average = start.copy(), start.copy()
        self.seen, self.t = np.zeros(len(start), bool), 0

    def step(self, gradients: dict[int, Array]) -> None:
        """One step of the tensor; rows that are not named rest."""
        self.t += 1
        self.once()
        for row, g in gradients.items():
            self.row(row, g, not self.seen[row])
            fresh = self.average[row] if self.seen[row] else self.p[row]
            self.average[row] = EMA * fresh + (1 - EMA) * self.p[row]
            self.seen[row] = True

    def once(self) -> None:
        """What is one number for the tensor."""

    def row(self, row: int, g: Array, first: bool) -> None:
        """The rule."""
        raise NotImplementedError


class ScheduleFree(Rowwise):
    """Defazio et al. 2024, Algorithm 1 with the weights of the authors' code, at y."""

    beta1, beta2, eps, decay = 0.9, 0.999, 1e-8, 0.125

    def __init__(self, start: Array) -> None:
        super().__init__(start)
        self.z, self.v, self.sum = np.zeros_like(start), np.zeros_like(start), 0.0

    def once(self) -> None:
        """Share of the new iterate: its weight among all so far."""
        self.sum += LR**2
        self.c = LR**2 / self.sum

    def row(self, row: int, g: Array, first: bool) -> None:
        """The lines for z, v and y."""
        z = self.p[row].copy() if first else self.z[row]
        self.v[row] = self.beta2 * self.v[row] + (1 - self.beta2) * g**2
        root = np.sqrt(self.v[row] / (1 - self.beta2**self.t)) + self.eps
        u = g / root + self.decay * self.p[row]
        y = (1 - self.c) * self.p[row] + self.c * z
        self.p[row] = y - LR * (1 - self.beta1 * (1 - self.c)) * u
        self.z[row] = z - LR * u


class Adan(Rowwise):
    """Xie et al. 2022, Algorithm 1: differences from the second gradient on."""

    b1, b2, b3, eps = 0.98, 0.92, 0.99, 1e-8

    def __init__(self, start: Array) -> None:
        super().__init__(start)
        self.m, self.v, self.n, self.g_prev = (np.zeros_like(start) for _ in range(4))

    def row(self, row: int, g: Array, first: bool) -> None:
        """The lines for m, v, n and the parameter."""
        d = np.zeros_like(g) if first else g - self.g_prev[row]
        self.m[row] = self.b1 * self.m[row] + (1 - self.b1) * g
        self.v[row] = self.b2 * self.v[row] + (1 - self.b2) * d
        self.n[row] = self.b3 * self.n[row] + (1 - self.b3) * (g + self.b2 * d) ** 2
        hat = [1 - b**self.t for b in (self.b1, self.b2, self.b3)]
        step = self.m[row] / hat[0] + self.b2 * self.v[row] / hat[1]
        self.p[row] -= LR * step / (np.sqrt(self.n[row] / hat[2]) + self.eps)
        self.g_prev[row] = g


PAPERS: dict[str, tuple[type[Rowwise], dict[str, float], tuple[str, ...]]] = {
    "schedule_free_adamw": (ScheduleFree, {"weight_decay": 0.125}, ("z", "v")),
    "adan": (Adan, {}, ("m", "v", "n", "g_prev")),
}
named_rows = st.lists(st.integers(0, ROWS - 1), max_size=4, unique=True)
# Rows, a dense gradient, none at all, or a resumed run.
events = st.lists(named_rows | st.sampled_from(["dense", "none", "resume"]), min_size=1, max_size=9)


@pytest.mark.parametrize(("rule", "zero"), sampled(itertools.product(PAPERS, [False, True])))
@settings(max_examples=40)
@given(events=events, seed=st.integers(0, 99))
def test_every_row_has_its_own_first_step(
    rule: str, zero: bool, events: list[Any], seed: int
) -> None:
    """Rows first seen at different steps end where a run row by row ends, state and average too."""
    paper, hypers, states = PAPERS[rule]
    rng = np.random.default_rng(seed)
    w = {"w": rng.normal(size=(ROWS, WIDTH)), "b": rng.normal(size=2)}
    options: dict[str, Any] = {"lr": LR, "ema": EMA, "zero_grads": zero, "clip_norm": 1e9, **hypers}
    optimizer, run = make(rule, w, **options), paper(w["w"])
    for event in events:
        if event == "resume":
            saved, optimizer = optimizer.state_dict(), make(rule, w, **options)
            optimizer.load_state_dict(saved)
            continue
        other = rng.normal(size=2)
        if event == "none":
            optimizer.step({"w": None, "b": other})
            continue
        named = list(range(ROWS)) if event == "dense" else event
        values = rng.normal(size=(len(named), WIDTH))
        run.step(dict(zip(named, values.copy(), strict=True)))
        gradient: Any = values if event == "dense" else adamas.Rows(named, values)
        optimizer.step({"w": gradient, "b": other})
        assert not (zero and event == "dense" and values.any())
    np.testing.assert_allclose(w["w"], run.p, rtol=1e-10, atol=1e-12)
    live, decoded = optimizer.state["w"], optimizer.values("w")
    for name in states:
        found = live[name]
        expected = np.where(run.seen[:, None], getattr(run, name), run.p if name == "z" else 0.0)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12, err_msg=name)
        assert np.array_equal(found, decoded[name])
    average = np.where(run.seen[:, None], run.average, run.p)
    np.testing.assert_allclose(live["average"], average, rtol=1e-10, atol=1e-12)
    part = run.seen.any() != run.seen.all() or (run.t > 0 and not run.seen.any())
    assert ("stepped" in live) == bool(part)


def test_a_resumed_run_knows_which_rows_were_stepped() -> None:
    """A state dict of a half-seen table goes on with the same bits; without the word, all were."""
    start = np.linspace(1, 2, 8, dtype=np.float32).reshape(4, 2)
    first, second, third = start.copy(), start.copy(), start.copy()
    runs = [adamas.Adan(w, lr=0.1, ema=0.5) for w in (first, second, third)]
    row = np.ones((1, 2), np.float32)
    for k in (0, 2):
        runs[0].step(adamas.Rows([k], row))
    saved = runs[0].state_dict()
    assert saved["state"][0]["stepped"].tolist() == [True, False, True, False]
    second[:] = third[:] = first
    runs[1].load_state_dict(saved)
    older = {**saved["state"][0]}
    del older["stepped"]
    runs[2].load_state_dict({**saved, "state": {0: older}})
    for run in runs:
        run.step(adamas.Rows([1], row))
        run.step(np.ones((4, 2), np.float32))
    assert snapshot(runs[0]) == snapshot(runs[1])
    assert not np.array_equal(first[1], third[1]) and np.array_equal(first[0], third[0])


@pytest.mark.parametrize(
    "stepped", [np.ones(3, bool), np.ones((4, 1), bool), np.array(True), np.array(["a"] * 4)]
)
def test_rows_that_a_state_dict_cannot_mean_are_refused(stepped: Any) -> None:
    """A word on other rows than there are is refused by name, and nothing changes."""
    optimizer = adamas.Adan(np.ones((4, 2)), lr=0.1)
    optimizer.step(adamas.Rows([0], np.ones((1, 2))))
    before, saved = snapshot(optimizer), optimizer.state_dict()
    saved["state"][0]["stepped"] = stepped
    with pytest.raises(ValueError, match="'stepped' of 0"):
        optimizer.load_state_dict(saved)
    assert snapshot(optimizer) == before


def test_what_was_never_stepped_reads_as_the_parameter() -> None:
    """Average and z of frozen parameters and unseen rows follow the parameter, in every form."""
    w: dict[str, Any] = {"a": np.ones(2), "frozen": np.full(2, 7.0), "table": np.full((3, 2), 5.0)}
    optimizer = adamas.ScheduleFreeAdamW(w, lr=0.1, ema=0.9)
    for name in w:
        assert np.array_equal(optimizer.state[name]["average"], w[name])
    optimizer.step({"a": np.ones(2), "frozen": None, "table": adamas.Rows([1], np.ones((1, 2)))})
    w["frozen"][:], w["table"][0] = 8.0, 6.0
    for read in (lambda n: optimizer.state[n], optimizer.values):
        for name in ("average", "z"):
            assert read("frozen")[name].tolist() == [8.0, 8.0]
            assert read("table")[name][[0, 2]].tolist() == [[6.0, 6.0], [5.0, 5.0]]
    saved = optimizer.state_dict()["state"]
    assert saved["frozen"]["z"].tolist() == [8.0, 8.0]
    # bfloat16 beside its correction bits, in another memory order, in few bits by name.
    bits = np.full((2, 128), 0x3F80, np.uint16)
    forms: list[tuple[Array, dict[str, Any]]] = [
        (bits, {"master": 16}),
        (np.ones((128, 2), np.float32).T, {"state": {"z": "int8", "average": "bfloat16"}}),
    ]
    for p, options in forms:
        found = adamas.ScheduleFreeAdamW(p, ema=0.9, **options).values(0)
        assert found["z"].tolist() == found["average"].tolist() == np.ones((2, 128)).tolist()


@pytest.mark.parametrize("form", ["int8", "int4", "bfloat16"])
@pytest.mark.parametrize("width", [96, 128])
def test_rows_in_few_bits_begin_by_themselves(form: str, width: int) -> None:
    """In few bits too, z of a row begins as the row, and rows beside it keep their codes."""
    w = np.full((3, width), 4.0, np.float32)
    optimizer = adamas.ScheduleFreeAdamW(w, lr=2.0**-9, state={"z": form})
    gradient = np.ones((1, width), np.float32)
    optimizer.step(adamas.Rows([0], gradient))
    first = optimizer.values(0)["z"][0].copy()
    for row in (1, 2):
        # The levels of int4 beside 4 are 3.5 and 5.5.
        waiting = optimizer.values(0)["z"][row:]
        assert np.all(waiting == (3.5 if form == "int4" else 4.0))
        optimizer.step(adamas.Rows([row], gradient))
    z = optimizer.values(0)["z"]
    assert np.array_equal(z[0], first)
    assert np.all(np.abs(z - 4) <= 1.5) and np.all(np.abs(w - 4) < 0.1)


def test_exact_rows_go_on_from_a_half_seen_table() -> None:
    """Lazy state loaded under exact rows: all rows go on as dense steps from there would."""
    start = np.linspace(1, 2, 8).reshape(4, 2)
    lazy = adamas.Adan(start, lr=0.1, ema=0.5)
    for k in (0, 2):
        lazy.step(adamas.Rows([k], np.ones((1, 2))))
    w, d = start.copy(), start.copy()
    exact, plain = adamas.Adan(w, lr=0.1, ema=0.5, rows="exact"), adamas.Adan(d, lr=0.1, ema=0.5)
    for optimizer in (exact, plain):
        optimizer.load_state_dict(lazy.state_dict())
    for named in ([1, 1], [0, 2], [1]):
        dense = np.zeros((4, 2))
        np.add.at(dense, named, 0.5)
        exact.step(adamas.Rows(named, np.full((len(named), 2), 0.5)))
        plain.step(dense)
    exact.sync()
    assert snapshot(exact) == snapshot(plain)


@pytest.mark.parametrize("kind", [np.float64, np.float32, *few_of([np.float16, np.uint16], 1)])
def test_a_dense_gradient_of_a_half_seen_table(kind: Any) -> None:
    """Any dtype of it is read, checked, measured and clipped once, as that of a seen table is."""
    w = np.ones((3, 2), np.float32)
    optimizer = adamas.Adan(w, lr=0.1, clip_norm=1.0)
    optimizer.step(adamas.Rows([1], np.ones((1, 2), np.float32)))
    one = np.full((3, 2), 0x3F80, np.uint16) if kind is np.uint16 else np.ones((3, 2), kind)
    bad = one.copy()
    bad[2, 1] = 0x7FC0 if kind is np.uint16 else np.nan
    before = snapshot(optimizer)
    with pytest.raises(adamas.NonFiniteError, match=r"nan at \[2, 1\]"):
        optimizer.step(bad)
    assert snapshot(optimizer) == before
    inside = w.base if w.base is not None else w
    assert optimizer.step(one) and optimizer.grad_norm == pytest.approx(6**0.5)
    assert "stepped" not in optimizer.state[0]
    # A row that begins now steps by lr, as at every first step of Adan with equal gradients.
    assert np.all(np.isfinite(inside)) and np.all(w[0] == w[2])


def test_gradients_beyond_float32_are_measured_once() -> None:
    """The norm of a half-seen table whose squares overflow counts every row once."""
    optimizer = adamas.Adan(np.ones((3, 2)), lr=0.1, clip_norm=1.0)
    optimizer.step(adamas.Rows([1], np.ones((1, 2))))
    optimizer.step(np.full((3, 2), 1e200))
    assert optimizer.grad_norm == pytest.approx(6**0.5 * 1e200)


BASE = "z = p if t == 1 else z"
SAME = {
    "turned": "z = p if 1 == t else z",
    "other way": "z = z if t != 1 else p",
    "below": "z = p if t < 2 else z",
    "at most": "z = where(t <= 1, p, z)",
    "above": "z = z if t > 1 else p",
    "at least": "z = where(t >= 2, z, p)",
    "a name for t": "k = t; z = p if k == 1 else z",
    "a name for the question": "new = t == 1; z = p if new else z",
    "a difference": "z = z if t - 1 else p",
    "a factor": "z = (t == 1) * p + (t > 1) * z",
    "a reciprocal": "z = p if 1 / t == 1 else z",
}
OTHER = {
    "a warm-up": "z = z if t > 3 else p",
    "a hyper-parameter": "z = p if t <= 1 + lr else z",
    "the second step": "z = p if t == 2 else z",
    "arithmetic": "z = z * minimum(t - 1, 1) + p * maximum(2 - t, 0)",
}


SEEN = ([0], [0, 1], [0], [2], [0, 1, 2])


def rule_with(folder: Path, cases: Collection[str]) -> adamas.Rule:
    """Gradient steps, with an old value of the parameter in a state for each case, z0, z1, ..."""
    parts = [
        re.sub(r"\b(z|k|new)\b", rf"\g<1>{n}", part.strip())
        for n, case in enumerate(cases)
        for part in case.split(";")
    ]
    states = ", ".join(f"z{n}" for n in range(len(cases)))
    lines = "".join(f"    {part}\n" for part in [*parts, "p = p - lr * g", f"return p, {states}"])
    return adamas.rule(function(folder, f"def f(p, g, {states}, *, t, lr=0.25):\n{lines}"))


def steps_of(rule: adamas.Rule) -> list[list[list[float]]]:
    """Find each z of a table whose rows are seen at the steps 1, 2, 4 and never, and again at 5."""
    w = np.arange(8.0, 16.0).reshape(4, 2)
    optimizer = rule(w)
    for named in SEEN:
        optimizer.step(adamas.Rows(named, np.ones((len(named), 2))))
    return [optimizer.state[0][name][:3].tolist() for name in rule.formula.states]


def test_whatever_tells_the_first_step_means_the_row_s(tmp_path: Path) -> None:
    """However the question is written, every row keeps the value that it began with."""
    found = steps_of(rule_with(tmp_path, SAME.values()))
    for what, z in zip(SAME, found, strict=True):
        assert z == [[8.0, 9.0], [10.0, 11.0], [12.0, 13.0]], what


def test_other_uses_of_t_mean_the_tensor_s_count(tmp_path: Path) -> None:
    """Warm-ups and arithmetic go by the step of the tensor, as bias corrections do."""
    rule = rule_with(tmp_path, OTHER.values())
    w, z = np.arange(8.0, 16.0).reshape(4, 2), np.zeros((len(OTHER), 4, 2))
    for k, named in enumerate(SEEN, 1):
        for row in named:
            w[row], *z[:, row] = rule.function(w[row].copy(), np.ones(2), *z[:, row], t=k)
    for what, found, expected in zip(OTHER, steps_of(rule), z[:, :3].tolist(), strict=True):
        assert found == expected, what


def test_a_number_of_the_tensor_is_set_up_once(tmp_path: Path) -> None:
    """A state kept once per tensor begins at the tensor's first step, whatever rows begin later."""
    text = (
        "def f(p, g, m, s, *, t, lr=0.5):\n    s = lr if t == 1 else s + 1\n"
        "    m = s * g if t == 1 else m + s * g\n    return p - m, m, s\n"
    )
    optimizer = adamas.rule(function(tmp_path, text))(np.zeros((2, 1)))
    for named in ([0], [1], [0, 1]):
        optimizer.step(adamas.Rows(named, np.ones((len(named), 1))))
    # s is 0.5, 1.5, 2.5.
    assert optimizer.state[0]["s"] == 2.5
    assert optimizer.state[0]["m"].tolist() == [[3.0], [4.0]]


def test_an_interrupted_first_step_of_rows_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a signal handler raises before the first step of rows leaves what is read as it was."""

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    def made() -> adamas.Optimizer:
        return adamas.ScheduleFreeAdamW(np.full((3, 2), 5.0), lr=1.0)

    optimizer, other = made(), made()
    before, rows = snapshot(optimizer), adamas.Rows([1], np.ones((1, 2)))
    with monkeypatch.context() as patch:
        patch.setattr(optimizer._stepper.sparse, "begin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            optimizer.step(rows)
    assert snapshot(optimizer) == before
    optimizer.step(rows)
    other.step(rows)
    assert snapshot(optimizer) == snapshot(other)

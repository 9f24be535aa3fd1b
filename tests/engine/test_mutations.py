"""Refused means unchanged: whatever a public call is given, it is done or nothing has changed."""

import os
import warnings
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.schedule import cosine
from mutate import VALUES, mutated
from stepping import Array, named, snapshot

# 10,000 in the long form.
COUNT = int(os.environ.get("ADAMAS_MUTATIONS", "400"))


def values(seed: int) -> dict[str, Array]:
    """Parameters of every dtype, one Fortran-ordered and one not dense."""
    rng = np.random.default_rng(seed)
    return {
        "w": np.asfortranarray(rng.normal(size=(3, 4)).astype(np.float32)),
        "b": rng.normal(size=10)[::2],
        "h": np.zeros(5, np.uint16),
        "table": rng.normal(size=(6, 64)).astype(np.float32),
    }


def grads(t: int) -> dict[str, Any]:
    """The gradients of step t, of the table some rows."""
    made: dict[str, Any] = values(100 + t)
    made["h"] = np.zeros(5, np.float32)
    made["table"] = adamas.Rows([t % 6, 1], made["table"][:2])
    return made


KINDS: dict[str, Callable[[int], adamas.Optimizer]] = {
    "nadam": lambda seed: adamas.NAdam(
        values(seed), lr=cosine(0.1, steps=50), ema=0.9, rows="exact"
    ),
    "few bits": lambda seed: adamas.AdamW(
        [{"params": {k: v}, "lr": 0.01 * (j + 1)} for j, (k, v) in enumerate(values(seed).items())],
        state=lambda key, array: "int4" if key == "table" else "bfloat16",
        seed=7,
        rows="exact",
    ),
}


def trained(kind: str, seed: int, steps: int) -> adamas.Optimizer:
    """An optimizer after some steps."""
    optimizer = KINDS[kind](seed)
    for t in range(steps):
        step(optimizer, t)
    return optimizer


def step(optimizer: adamas.Optimizer, t: int) -> bool:
    """One step, in the form of the parameters."""
    given = grads(t)
    grouped = len(optimizer.param_groups) > 1
    return optimizer.step([{k: v} for k, v in given.items()] if grouped else given)


def seen(optimizer: adamas.Optimizer) -> Any:
    """Everything that a call might have changed, in comparable form."""
    groups = [{k: repr(v) for k, v in group.items()} for group in optimizer.param_groups]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rest = optimizer._stepper.numbers
        counts = [a.tolist() for a in (rest.steps, rest.seed, rest.keys, rest.scalars)]
    waiting = {k: h.reached.tolist() for k, h in optimizer._stepper.sparse.histories.items()}
    return snapshot(optimizer), groups, counts, waiting, optimizer.skipped


def test_a_refused_state_changes_nothing() -> None:
    """State dicts spoilt at any place are taken over or refused by name, with nothing changed.

    ADAMAS_MUTATIONS is how many of them are tried.
    """
    seed = np.random.default_rng().integers(1 << 30)
    chance, refused = Random(int(seed)), 0
    for kind in KINDS:
        saved = trained(kind, 1, 5).state_dict()
        optimizer = trained(kind, 0, 3)
        for _ in range(COUNT // len(KINDS)):
            spoilt, strict = mutated(saved, chance), chance.random() < 0.7
            before = seen(optimizer)
            try:
                optimizer.load_state_dict(spoilt, strict=strict)
            except (TypeError, ValueError):
                refused += 1
                assert seen(optimizer) == before, f"{seed=}"
            else:
                optimizer = trained(kind, 0, 3)
        undisturbed = trained(kind, 0, 3)
        if seen(optimizer) == seen(undisturbed):
            step(optimizer, 3)
            step(undisturbed, 3)
            assert seen(optimizer) == seen(undisturbed)
    assert refused > COUNT // 3


def calls(chance: Random, value: Any) -> dict[str, Callable[[adamas.Optimizer], object]]:
    """Public calls with one wrong argument each."""
    name = chance.choice(["lr", "beta1", "eps", "params", "x"])
    key = chance.choice(["w", "b", "table"])
    return {
        "step": lambda o: o.step({**grads(3), key: value}),
        "all gradients": lambda o: o.step(value),
        "clip": lambda o: o.step(grads(3), clip_norm=value),
        "scale": lambda o: o.step(grads(3), loss_scale=value),
        "rows": lambda o: o.step({**grads(3), "table": adamas.Rows(value, np.ones((1, 64)))}),
        "row values": lambda o: o.step({**grads(3), "table": adamas.Rows([0], value)}),
        "group": lambda o: o.param_groups[0].update({name: value}),
        "sync": lambda o: o.sync({key: value}),
        "sync all": lambda o: o.sync(value),
        "values": lambda o: o.values(value),
        "strict": lambda o: o.load_state_dict(o.state_dict(), strict=value),
    }


@pytest.mark.parametrize("call", list(calls(Random(0), None)))
def test_a_refused_call_changes_nothing(call: str) -> None:
    """Every public call with a wrong argument is done, or refused with nothing changed."""
    chance = Random(int(np.random.default_rng().integers(1 << 30)))
    optimizer = trained("nadam", 0, 3)
    for value in VALUES:
        before, rows = seen(optimizer), optimizer._stepper.sparse.histories
        with np.errstate(all="raise"):
            try:
                calls(chance, value)[call](optimizer)
            except (TypeError, ValueError, adamas.NonFiniteError) as error:
                # A step that is done but for some blocks is no refusal.
                stepped = getattr(error, "left", 0) > 0
                # Saving brings rows up to date, which changes nothing that a dense run would see.
                assert (seen(optimizer) != before) == stepped or not rows, value
                optimizer = trained("nadam", 0, 3) if stepped else optimizer
            else:
                optimizer = trained("nadam", 0, 3)


OPTIONS = ["state", "master", "seed", "clip_norm", "on_nonfinite", "ema", "zero_grads", "maximize",
           "rows", "threads", "lr", "beta1", "eps", "x"]  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
def test_a_refused_option_changes_nothing(option: str) -> None:
    """The constructor and a group take an option or refuse it by TypeError or ValueError."""
    for value in VALUES:
        params = values(0)
        for made in ({"params": params, option: value}, None):
            try:
                if made is None:
                    optimizer = adamas.AdamW(params, **{option: value})
                else:
                    optimizer = adamas.AdamW([made])
                optimizer.step(named(optimizer) if made is None else [dict(named(optimizer))])
            except (TypeError, ValueError):
                assert all(np.array_equal(v, values(0)[k]) for k, v in params.items()), value
            params = values(0)

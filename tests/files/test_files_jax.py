"""A state of adamas.jax or optax in a file: bit for bit, by path, and into other homes."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import safetensors.numpy
import torch

import adamas
import adamas.jax
import adamas.torch
from adamas import cli
from home_runs import Adamas, Optax, Torch, forty, going_on, sample, trained

NAME = "run.safetensors"
# Of float32 arithmetic in another order, relative to the largest parameter.
FLOAT32 = 2e-6


def stepped(tx: Any, steps: int = 2) -> tuple[Any, Any]:
    """Parameters and their state after some steps."""
    params = {"fc": {"weight": jnp.ones((70, 90))}, "bias": jnp.ones(3, jnp.bfloat16)}
    state = tx.init(params)
    for k in range(steps):
        grads = jax.tree.map(lambda p, k=k: 0.1 * (k + 1) * p, params)
        updates, state = tx.update(grads, state, params)
        params = optax.apply_updates(params, updates)
    return state, params


def same(one: Any, other: Any) -> bool:
    """Whether two pytrees are alike to the last bit."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    alike = jax.tree.structure(one) == jax.tree.structure(other)
    return alike and all(
        a.dtype == b.dtype and np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs
    )


MADE = {
    "float32": lambda: adamas.jax.adamw(1e-3),
    "int8": lambda: adamas.jax.adamw(1e-3, state="int8"),
    "bfloat16": lambda: adamas.jax.adamw(1e-3, state="bfloat16"),
    "chain": lambda: optax.chain(optax.clip(1.0), optax.inject_hyperparams(optax.adam)(1e-2)),
}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("background", [False, True])
def test_bit_for_bit(kind: str, background: bool, tmp_path: Path) -> None:
    """State and parameters come back with their dtypes, and training goes on as it would have."""
    tx = MADE[kind]()
    state, params = stepped(tx)
    saving = adamas.jax.save(tmp_path / NAME, state, params, {"epoch": 2}, background=background)
    saving.wait()
    blank = jax.tree.map(jnp.zeros_like, params)
    # optax has wider moments after a step than before it.
    like = jax.tree.map(jnp.zeros_like, state) if kind == "chain" else tx.init(blank)
    again, held = adamas.jax.load(tmp_path / NAME, like, blank)
    assert same(again, state) and same(held, params)
    abstract = jax.eval_shape(lambda: like)
    assert same(adamas.jax.load(tmp_path / NAME, abstract), state)
    file = adamas.open_file(tmp_path / NAME)
    assert (file.steps, file.extra) == (2, {"epoch": 2})
    assert safetensors.numpy.load_file(tmp_path / NAME)["fc.weight"].shape == (70, 90)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    """Other names, shapes, dtypes and rules are one line with the path; keys are no arrays."""
    tx = adamas.jax.adamw(1e-3)
    state, params = stepped(tx)
    adamas.jax.save(tmp_path / NAME, state, tx="adamas.jax.adamw(1e-3)")
    for wrong in (
        {"other": jnp.ones(3)},
        {"fc": {"weight": jnp.ones((90, 70))}, "bias": jnp.ones(3)},
        {"fc": {"weight": jnp.ones((70, 90))}, "bias": jnp.ones(3)},
    ):
        with pytest.raises(ValueError, match=NAME):
            adamas.jax.load(tmp_path / NAME, adamas.jax.adamw(1e-3, state="int8").init(wrong))
    with pytest.raises(ValueError, match="amsgrad"):
        adamas.jax.load(tmp_path / NAME, adamas.jax.amsgrad(1e-3).init(params),
                        tx="adamas.jax.amsgrad(1e-3)")  # fmt: skip
    with pytest.raises(TypeError, match="key_data"):
        adamas.jax.save(tmp_path / "k", {"key": jax.random.key(0)})
    with pytest.raises(ValueError, match="none of"):
        adamas.jax.save(tmp_path / "k", state, tx="torch.AdamW")
    with pytest.raises(TypeError, match="tx="):
        adamas.jax.save(tmp_path / "k", state, tx=tx)  # type: ignore[arg-type]


def test_files_of_other_homes_go_on(tmp_path: Path) -> None:
    """A file of adamas.torch, or of arrays, goes on in adamas.jax and optax, and the other way."""
    params, grads = sample("float32", 6)
    runs: list[Any] = [
        Torch(adamas.torch.AdamW, lr=1e-2), Adamas(adamas.rules.adamw, lr=1e-2),
        Optax("adamas.jax.adamw(1e-2)"), Optax("optax.adamw(1e-2, weight_decay=0.01)"),
    ]  # fmt: skip
    for number, run in enumerate(runs):
        half = trained(run, params, grads[:3])
        place = tmp_path / str(number)
        if isinstance(run, Optax):
            adamas.jax.save(place, run.state, tx=run.source)
        else:
            run.source.save(place)
        whole = [run.step(one) or run.params() for one in grads[3:]][-1]
        for other in runs:
            other.start(half)
            if isinstance(other, Optax):
                other.state = adamas.jax.load(place, other.state, tx=other.source)
            else:
                other.source.load(place)
            for one in grads[3:]:
                other.step(one)
            for a, b in zip(other.params(), whole, strict=True):
                np.testing.assert_allclose(a, b, rtol=0, atol=FLOAT32 * np.abs(b).max())


def test_convert_and_inspect_read_them(tmp_path: Path, capsys: Any) -> None:
    """`adamas convert` takes a tree to torch and back; `adamas inspect` names its arrays."""
    state, params = stepped(adamas.jax.adamw(1e-3, state="int8"), 3)
    there, pt, back = (tmp_path / name for name in (NAME, "run.pt", "back.safetensors"))
    adamas.jax.save(there, state, params, tx="adamas.jax.adamw(1e-3)")
    assert cli.main(["inspect", str(there), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["optimizer"] == "adamas.jax.adamw(1e-3)" and found["steps"] == 3
    assert {"state/mu.fc.weight.codes", "fc.weight"} <= {one["name"] for one in found["tensors"]}
    assert cli.main(["convert", str(there), str(pt)]) == 0
    # optax sorts names, and torch goes by the order.
    assert "matches parameters by their order" in capsys.readouterr().err
    assert torch.load(pt)["param_groups"][0]["param_names"] == ["bias", "fc.weight"]
    torch.save({"fc.weight": torch.ones(70, 90), "bias": torch.ones(3)}, tmp_path / "model.pt")
    words = ["convert", str(there), str(pt), "--force", "--params", str(tmp_path / "model.pt")]
    assert cli.main(words) == 0 and not capsys.readouterr().err
    saved = torch.load(pt)
    assert saved["param_groups"][0]["param_names"] == ["fc.weight", "bias"]
    numbers = np.asarray(state.mu["fc"]["weight"].numbers())
    index = saved["param_groups"][0]["param_names"].index("fc.weight")
    np.testing.assert_array_equal(saved["state"][index]["exp_avg"].numpy(), numbers)
    assert cli.main(["convert", str(pt), str(back), "--to", "adamas.jax.adamw(1e-3)"]) == 0
    again = adamas.jax.load(back, adamas.jax.adamw(1e-3).init(params), tx="adamas.jax.adamw(1e-3)")
    np.testing.assert_array_equal(np.asarray(again.mu["fc"]["weight"]), numbers)
    assert int(again.count) == 3


def test_forty_steps(tmp_path: Path) -> None:
    """Twenty steps of torch and twenty of optax, by two files, are forty of torch."""
    first = forty(Torch(torch.optim.Adam, lr=1e-2), "float32")
    torch.save(first.state, tmp_path / "c.pt")
    there = tmp_path / NAME
    words = ["convert", str(tmp_path / "c.pt"), str(there), "--to", "optax.adam(1e-2)"]
    assert cli.main(words) == 0

    class FromFile(Optax):
        """optax from the file."""

        def load(self, converted: Any) -> None:
            self.state = adamas.jax.load(there, self.state)

    assert going_on(first, FromFile("optax.adam(1e-2)"), "float32") < FLOAT32

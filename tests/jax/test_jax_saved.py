"""A state as a plain dict by path, and back."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamas.jax
from jax_stepping import gradients, run, same, tree


def made() -> tuple[Any, Any, Any]:
    """A transformation in a chain, parameters, and a state after two steps."""
    tx, params = optax.chain(optax.clip(1.0), adamas.jax.nadam(1e-2, mu_dtype="bfloat16")), tree()
    return tx, params, run(tx, params, gradients(params, 2))[1]


def test_a_state_comes_back_from_a_file_of_numpy(tmp_path: Path) -> None:
    """Names are paths, and what was saved by name continues bit for bit in a new state."""
    tx, params, state = made()
    saved = adamas.jax.to_dict(state)
    assert sorted(saved) == sorted(
        ["1.count", "1.mu_product"]
        + [f"1.{s}.{p}" for s in ("mu", "nu") for p in ("layer.kernel", "layer.bias", "rest.0")]
    )
    np.savez(tmp_path / "state.npz", **saved)
    with np.load(tmp_path / "state.npz") as file:
        again = adamas.jax.from_dict(file, jax.eval_shape(tx.init, params))
    assert same(again, state)


def test_what_does_not_fit_is_named() -> None:
    """Other names, shapes and dtypes, and paths that are no longer one."""
    _, _, state = made()
    saved = adamas.jax.to_dict(state)
    less = {name: leaf for name, leaf in saved.items() if name != "1.nu.layer.bias"}
    for odd, text in (
        (less, r"'1.nu.layer.bias', for one, is in the state only"),
        ({**saved, "2.count": 0}, "'2.count', for one, is in the dict only"),
        ({**saved, "1.count": jnp.zeros(2)}, r"'1.count' is float32\[2\].*int32\[\]"),
        ({**saved, "1.nu.layer.bias": jnp.ones(5, jnp.int32)}, r"is int32\[5\].* float32\[5\]"),
    ):
        with pytest.raises(ValueError, match=text):
            adamas.jax.from_dict(odd, state)
    with pytest.raises(TypeError, match=r"'1\.count' is a int .* array: numpy.asarray\(.*int32"):
        adamas.jax.from_dict({**saved, "1.count": 3}, state)
    dotted = adamas.jax.sgd(momentum=0.9).init({"a.b": jnp.ones(1), "a": {"b": jnp.ones(1)}})
    with pytest.raises(ValueError, match="same path"):
        adamas.jax.to_dict(dotted)

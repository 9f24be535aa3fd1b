"""A few steps in few bits on eight host devices: run as a program, it writes codes to a file.

    python jax_sharded.py FILE

The devices are a flag that JAX reads once, so this is a process of its own.
"""

import sys
from contextlib import nullcontext

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import adamas.jax

LEAVES = {
    "rows": ((64, 300), ("x", None)),
    "columns": ((64, 256), (None, "x")),
    "flat": ((64 * 256,), ("x",)),
}


def run(mesh: jax.sharding.Mesh | None) -> list[np.ndarray]:
    """Codes, scales and the parameters after two steps."""

    def made() -> dict[str, jax.Array]:
        found = {}
        for name, (shape, spec) in LEAVES.items():
            where = NamedSharding(mesh, PartitionSpec(*spec)) if mesh else None
            array = jnp.asarray(rng.normal(size=shape), jnp.bfloat16)
            found[name] = jax.device_put(array, where)
        return found

    rng = np.random.default_rng(0)
    tx = adamas.jax.adamw(2**-7, b1=0.75, b2=0.875, weight_decay=0.0, state="int8")
    p = made()
    kept = jax.jit(tx.init)(p)

    @jax.jit
    def step(p: dict, kept: tuple, g: dict) -> tuple:
        u, kept = tx.update(g, kept, p)
        return optax.apply_updates(p, u), kept

    for _ in range(2):
        p, kept = step(p, kept, made())
    for name, leaf in p.items():
        assert kept.mu[name].codes.sharding.is_equivalent_to(leaf.sharding, leaf.ndim)
    return [np.asarray(leaf.astype(jnp.float32)) for leaf in jax.tree.leaves((kept, p))]


def main(path: str) -> None:
    """The same steps plain, sharded by the compiler, and sharded in the types of arrays."""
    found = {}
    for kind in (None, AxisType.Auto, AxisType.Explicit):
        mesh = kind and jax.make_mesh((8,), ("x",), axis_types=(kind,))
        with jax.set_mesh(mesh) if kind == AxisType.Explicit else nullcontext():
            made = run(mesh)
        found |= {f"{kind and kind.name} {k}": array for k, array in enumerate(made)}
    np.savez(path, **found)


if __name__ == "__main__":
    main(sys.argv[1])

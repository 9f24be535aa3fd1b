"""One rule in every framework: the line to write, and how far the numbers are apart."""

import numpy as np

from adamas.learn.frames import Draw, play
from adamas.learn.measured import measured
from adamas.learn.numbers import above, shown
from adamas.learn.text import Say
from adamas.pages.elements import details, paragraph, section, source, table

STEPS = 100  # of the runs that `HomeDistance` compares
INSTALL = """\
pip install .                # NumPy and Numba
pip install ".[lab,torch]"   # the lab and PyTorch; likewise jax, keras, scipy
"""
# A line of its own for each framework, the shortest whole training that it has.
CODE = {
    "NumPy": """\
import numpy as np
import adamas

w = np.zeros(2)
optimizer = adamas.Adam(w, lr=0.1)
for _ in range(200):
    optimizer.step(2 * (w - [1.0, -2.0]))
""",
    "PyTorch": """\
import torch
import adamas.torch

w = torch.zeros(2, requires_grad=True)
optimizer = adamas.torch.Adam([w], lr=0.1)        # was: torch.optim.Adam
for _ in range(200):
    optimizer.zero_grad()
    ((w - torch.tensor([1.0, -2.0])) ** 2).sum().backward()
    optimizer.step()
""",
    "TensorFlow / Keras": """\
import keras
import numpy as np
import adamas.keras

x = np.random.default_rng(0).normal(size=(512, 2)).astype("float32")
y = x @ np.array([[1.0], [-2.0]], "float32")
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
model.compile(optimizer=adamas.keras.Adam(0.1), loss="mse")   # was: keras.optimizers.Adam
model.fit(x, y, epochs=25, verbose=0)
w = model.get_weights()[0][:, 0]
""",
    "JAX": """\
import jax
import jax.numpy as jnp
import optax
import adamas.jax

w = jnp.zeros(2)
tx = adamas.jax.adam(0.1)                         # was: optax.adam
state = tx.init(w)
for _ in range(200):
    g = jax.grad(lambda w: jnp.sum((w - jnp.array([1.0, -2.0])) ** 2))(w)
    updates, state = tx.update(g, state, w)
    w = optax.apply_updates(w, updates)
""",
    "SciPy": """\
import numpy as np
import scipy.optimize
import adamas.scipy

goal = np.array([1.0, -2.0])
found = scipy.optimize.minimize(
    lambda w: np.sum((w - goal) ** 2), np.zeros(2), jac=lambda w: 2 * (w - goal),
    method=adamas.scipy.adam, options={"lr": 0.1, "maxiter": 200},
)
w = found.x
""",
}


def versions() -> str:
    """Return what was measured with what: each package and its version."""
    found = measured()["versions"]
    listed = ("numpy", "torch", "jax", "keras", "tensorflow-cpu", "scipy")
    return ", ".join(f"{name} {found[name]}" for name in listed)


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    homes = measured()["homes"]
    narrow = [row["norm"] for name, row in homes.items() if name != "SciPy"]
    listed_as = {"SciPy": "SciPy (float64)"}
    rows = [
        [listed_as.get(name, name), shown(row["norm"], 2), shown(row["farthest"], 2)]
        for name, row in homes.items()
    ]
    numbers = {
        "homes": str(len(homes)),
        "steps": STEPS,
        "most": above(max(narrow)),
        "farthest": above(max(row["farthest"] for row in homes.values())),
        "bits": int(np.finfo(np.float32).nmant) + 1,
        "unit": above(float(np.finfo(np.float32).epsneg)),
        "versions": versions(),
    }
    head = [say(f"frameworks.{key}") for key in ("home", "norm", "farthest")]
    return section(
        "frameworks",
        say("frameworks.title"),
        paragraph(say("frameworks.one")),
        paragraph(say("frameworks.install")),
        source(INSTALL),
        *(details(name, source(code)) for name, code in CODE.items()),
        paragraph(say("frameworks.same", **numbers)),
        table(say("frameworks.caption", **numbers), head, rows),
        paragraph(say("frameworks.why", **numbers)),
        play("frameworks", draw, say("frameworks.figure")),
        paragraph(say("frameworks.keep")),
    )

"""The core works without any framework, and `import adamas` is light; proven in a fresh process."""

import subprocess
import sys

IMPORT = "import adamas"
STEP = """
import adamas
import numpy as np
adamas.AdamW(np.ones(3, np.float32)).step(np.ones(3, np.float32))
"""


def loaded(code: str) -> set[str]:
    """Run `code` in a fresh interpreter; return the top-level packages that it has loaded."""
    report = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_import_is_light() -> None:
    """`import adamas` loads neither Numba nor a framework nor a package of the lab."""
    heavy = {"numba", "torch", "jax", "keras", "optax", "scipy", "sklearn", "matplotlib"}
    modules = loaded(IMPORT)
    assert "adamas" in modules
    assert not modules & heavy


def test_a_step_needs_no_framework() -> None:
    """One step on a NumPy array loads no framework; SciPy is left out, Numba itself imports it."""
    modules = loaded(STEP)
    assert "numba" in modules
    assert not modules & {"torch", "jax", "keras", "optax", "tensorflow"}


def test_a_loaded_framework_is_seen() -> None:
    """The check itself can fail: a submodule gives its package away."""
    assert "xml" in loaded("import xml.dom.minidom")

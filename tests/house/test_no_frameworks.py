"""The core works without any framework, and `import adamas` is light; proven in a fresh process."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from places import PACKAGE

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
    heavy |= {"tensorflow", "equinox", "flax", "safetensors"}
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


FACES = [
    ("torch", "PyTorch", "torch", ()),
    ("jax", "jax", "jax", ()),
    ("jax", "optax", "jax", ("jax",)),
    ("keras", "Keras", "keras", ()),
    ("scipy", "SciPy", "scipy", ()),
]


@pytest.mark.parametrize(("face", "package", "extra", "there"), FACES)
def test_a_missing_framework_is_one_line(
    face: str, package: str, extra: str, there: tuple[str, ...], tmp_path: Path
) -> None:
    """Where NumPy alone is installed, the import of a face says what to install, and no more."""
    done = bare(f"import adamas.{face}", ("numpy", *there), tmp_path)
    error = f"ImportError: adamas.{face} needs {package}; install it with: pip install"
    assert done.stderr.splitlines()[-1] == f"{error} 'adamas[{extra}]'"
    # Nothing else went wrong before or on the way.
    assert done.stderr.count("Error: ") == 1


def test_numpy_alone_is_enough_to_import(tmp_path: Path) -> None:
    """The environment of these tests can import adamas: what is missing there is the framework."""
    done = bare(
        "import adamas; print(adamas.schedule.cosine(1.0, steps=2)(1))", ("numpy",), tmp_path
    )
    assert done.stdout == "1.0\n"


def bare(code: str, packages: tuple[str, ...], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run `code` where only these packages, and adamas, are installed."""
    for name in packages:
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None
        place = Path(spec.origin).parent
        # The second one holds the libraries that wheels bring along.
        for one in (place, place.with_name(f"{name}.libs")):
            if one.exists():
                folder.joinpath(one.name).symlink_to(one)
    path = os.pathsep.join([str(folder), str(PACKAGE.parent)])
    return subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip

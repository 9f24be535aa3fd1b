"""The reader behind the floor test understands Python's import statements."""

import pytest

from import_reader import Import, imports, loaded

MODULES = {"words", "kernel.__init__", "kernel.weave", "kernel.build"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import adamas.words", {Import("words", True)}),
        ("import adamas.words as w, numpy.typing", {Import("words", True), Import("numpy", False)}),
        ("from adamas import words, AdamW", {Import("words", True), Import("__init__", True)}),
        ("from adamas.kernel import weave", {Import("kernel.weave", True)}),
        ("from adamas.kernel import Formula", {Import("kernel.__init__", True)}),
        ("from . import weave", {Import("kernel.weave", True)}),
        ("from .weave import weave", {Import("kernel.weave", True)}),
        ("from ..words import sqrt", {Import("words", True)}),
        ("import math, os.path", set()),
        ("def f():\n    import numba", {Import("numba", False, True)}),
        ("try:\n    import numba\nexcept ImportError:\n    pass", {Import("numba", False)}),
        ("if TYPE_CHECKING:\n    import torch", {Import("torch", False, True)}),
        ("if t.TYPE_CHECKING:\n    pass\nelse:\n    import jax", {Import("jax", False)}),
    ],
)
def test_imports_are_read(source: str, expected: set[Import]) -> None:
    """Every form of the import statement is understood; the expected sets are Python's meaning."""
    assert imports(source, "kernel.build", MODULES) == expected


def test_a_compiler_is_found_through_other_modules() -> None:
    """A module-level chain from `import adamas` to Numba is followed, packages included."""
    tree = {
        "__init__": "from adamas.kernel.weave import weave",
        "kernel.__init__": "from adamas.kernel import machine",
        "kernel.machine": "import numba",
        "kernel.weave": "",
    }
    assert Import("numba", inside=False) in loaded(tree, "__init__")

"""A kernel's source becomes machine code, compiled once per computer and not once per process.

The source is a real file in the user's cache, because that is what Numba's disk cache keys on (a
kernel made by closures never hits it) and what a debugger can step through. Files appear by atomic
rename, so two processes may build the same kernel at once; where no file can be written, the kernel
lives in memory and everything else works.
"""

import hashlib
import linecache
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from adamas.kernel.formula import Formula
from adamas.kernel.weave import Layout, Woven, weave

_lock = threading.Lock()
_built: dict[tuple[str, Layout], "Kernel"] = {}
_RUNTIME = ("job.py", "intrinsics.py", "machine.py")


@dataclass(frozen=True)
class Kernel:
    """Machine code for one rule and layout; `run(address of the job, phases)` returns a status."""

    woven: Woven
    run: Callable[[int, int], int]
    path: Path | None


def adamas_version() -> str:
    """The installed version, or "0" when the package runs from a bare source tree."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("adamas")
    except PackageNotFoundError:
        return "0"


def cache_directory() -> Path:
    """`ADAMAS_CACHE_DIR`, or `adamas` below the user's cache directory."""
    if chosen := os.environ.get("ADAMAS_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "adamas"


def build(formula: Formula, layout: Layout) -> Kernel:
    """The kernel of `formula` for `layout`: from this process, from the disk, or compiled now."""
    key = formula.key, layout
    kernel = _built.get(key)
    if kernel is None:
        with _lock:
            kernel = _built.get(key) or _build(weave(formula, layout, adamas_version()))
            _built[key] = kernel
    return kernel


def _build(woven: Woven) -> Kernel:
    from numba import int64

    from adamas.kernel import machine

    path = _write(woven)
    name = f"adamas_kernel_{woven.name}_{_digest(woven)}"
    file = str(path) if path else f"<{name}>"
    if path is None:
        lines = woven.source.splitlines(keepends=True)
        linecache.cache[file] = (len(woven.source), None, lines, file)
    module = ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
    exec(compile(woven.source, file, "exec"), module.__dict__)
    run = machine.entry(path is not None)(module.run)
    try:
        run.compile((int64, int64))
    except OSError:
        # The code is compiled; only writing it beside its source failed.
        if not run.overloads:
            raise
    return Kernel(woven, run, path)


def _digest(woven: Woven) -> str:
    """Changes with the text, the versions, and the runtime code that Numba compiles into it."""
    import numba

    here = Path(__file__).parent
    parts = [woven.source, numba.__version__, *((here / f).read_text() for f in _RUNTIME)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _write(woven: Woven) -> Path | None:
    """Put the source into the cache; None where the directory cannot be written."""
    directory = cache_directory()
    path = directory / f"{woven.name}_{_digest(woven)}.py"
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (path.exists() and path.read_text() == woven.source):
            handle, temporary = tempfile.mkstemp(dir=directory, suffix=".tmp")
            with os.fdopen(handle, "w") as file:
                file.write(woven.source)
            os.replace(temporary, path)
        # Numba keeps its machine code in this folder and refuses to start if it cannot.
        (directory / "__pycache__").mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=directory / "__pycache__"):
            return path
    except OSError:
        return None

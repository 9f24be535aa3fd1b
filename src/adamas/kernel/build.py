"""A kernel's source becomes machine code, compiled once per computer and not once per process.

The source is a real file in the user's cache, because that is what Numba's disk cache keys on (a
kernel made by closures never hits it) and what a debugger can step through. Where no file can be
written, or others could have written it, the kernel lives in memory and everything else works.
"""

import contextlib
import linecache
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from adamas.kernel.cache import refused, trim, used, write
from adamas.kernel.formula import Formula
from adamas.kernel.processors import here
from adamas.kernel.weave import Layout, Woven, weave

# Modules that only a first step needs are imported there: `import adamas` is counted in ms.
_lock = threading.Lock()
_built: dict[tuple[str, Layout], "Kernel"] = {}
_RUNTIME = (
    "job.py", "intrinsics.py", "integers.py", "operations.py", "lanes.py", "reductions.py",
    "sums.py", "scaling.py", "machine.py", "linked.py",
)  # fmt: skip
_FOLDER = Path(__file__).parent / "runtime"


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


def build(formula: Formula, layout: Layout) -> Kernel:
    """The kernel of `formula` for `layout`: from this process, from the disk, or compiled now."""
    key = formula.key, layout
    kernel = _built.get(key)
    if kernel is None:
        with _lock:
            kernel = _built.get(key) or _build(weave(formula, layout, adamas_version(), here()))
            _built[key] = kernel
    return kernel


def _build(woven: Woven) -> Kernel:
    stem = f"{woven.name}_{_digest(woven)}"
    path = write(stem, woven.source.encode())
    name = f"adamas_kernel_{stem}"
    file = str(path) if path else f"<{name}>"
    if path is None:
        lines = woven.source.splitlines(keepends=True)
        linecache.cache[file] = (len(woven.source), None, lines, file)
    module = ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
    exec(compile(woven.source, file, "exec"), module.__dict__)
    return Kernel(woven, _machine_code(module.run, path), path)


def _machine_code(function: Callable[[int, int], int], path: Path | None) -> Any:
    """Compile `function`; from and to Numba's cache if it has a `path` and that can be used."""
    from numba import config, int64

    from adamas.kernel.runtime import machine

    signature = (int64, int64)
    if config.DISABLE_JIT:
        return machine.entry(False)(function)
    run = _on_disk(function, path) if path else None
    if run is not None:
        # Whatever is wrong with the disk, a kernel in memory steps; what is wrong with the
        # kernel itself shows again below.
        with contextlib.suppress(Exception):
            return _cached(run, signature)
    run = machine.entry(False)(function)
    run.compile(signature)
    return run


def _on_disk(function: Callable[[int, int], int], path: Path) -> Any:
    """`function` with Numba's cache, of which nothing was read yet; None if it must not be."""
    from adamas.kernel.runtime import machine

    try:
        run = machine.entry(True)(function)
    except Exception:
        # There is no folder in which Numba could write.
        return None
    # Beside the source, unless NUMBA_CACHE_DIR names another place.
    folder = Path(run.stats.cache_path)
    return None if refused(folder, *folder.glob(f"{path.stem}.*")) else run


def _cached(run: Any, signature: tuple[Any, ...]) -> Any:
    try:
        run.compile(signature)
    except Exception:
        # If it is compiled, only writing it failed. Otherwise one of Numba's files was cut short;
        # `recompile` empties their index.
        if not run.overloads:
            run.recompile()
            run.compile(signature)
    folder, path = Path(run.stats.cache_path), Path(run.py_func.__code__.co_filename)
    if run.stats.cache_hits:
        used(path, folder)
    else:
        trim(path.parent)
    return run


def _digest(woven: Woven) -> str:
    """Changes with the text, the versions, and the runtime code that Numba compiles into it."""
    import hashlib

    import numba

    parts = [woven.source.encode(), numba.__version__.encode()]
    parts += [(_FOLDER / file).read_bytes() for file in _RUNTIME]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]

"""A kernel's source becomes machine code, compiled once per computer and not once per process.

The source is a real file in the user's cache, because that is what Numba's disk cache keys on (a
kernel made by closures never hits it) and what a debugger can step through. Files appear by atomic
rename, so two processes may build the same kernel at once; where no file can be written, the kernel
lives in memory and everything else works.
"""

import linecache
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from adamas.kernel.formula import Formula
from adamas.kernel.weave import Layout, Woven, weave

# Modules that only a first step needs are imported there: `import adamas` is counted in ms.
_lock = threading.Lock()
_built: dict[tuple[str, Layout], "Kernel"] = {}
_RUNTIME = ("job.py", "intrinsics.py", "integers.py", "machine.py")


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
    return Kernel(woven, _machine_code(module.run, path is not None), path)


def _machine_code(function: Callable[[int, int], int], on_disk: bool) -> Any:
    """Compile `function`; with `on_disk` from and to Numba's cache, unless that cannot be used."""
    from numba import config, int64

    from adamas.kernel import machine

    signature = (int64, int64)
    if config.DISABLE_JIT:
        return machine.entry(False)(function)
    if on_disk:
        try:
            return _cached(machine.entry(True)(function), signature)
        except Exception:
            # Whatever is wrong with the disk, a kernel in memory steps; what is wrong with the
            # kernel itself shows again below.
            pass
    run = machine.entry(False)(function)
    run.compile(signature)
    return run


def _cached(run: Any, signature: tuple[Any, ...]) -> Any:
    try:
        run.compile(signature)
    except Exception:
        # If it is compiled, only writing it failed. Otherwise one of Numba's files was cut short;
        # `recompile` empties their index.
        if not run.overloads:
            run.recompile()
            run.compile(signature)
    return run


def _digest(woven: Woven) -> str:
    """Changes with the text, the versions, and the runtime code that Numba compiles into it."""
    import hashlib

    import numba

    here = Path(__file__).parent
    parts = [woven.source.encode(), numba.__version__.encode()]
    parts += [(here / file).read_bytes() for file in _RUNTIME]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _write(woven: Woven) -> Path | None:
    """Put the source into the cache; None where the directory cannot be written."""
    import tempfile

    content = woven.source.encode()
    try:
        directory = cache_directory()
        path = directory / f"{woven.name}_{_digest(woven)}.py"
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (path.exists() and path.read_bytes() == content):
            _replace(path, content)
        # Numba keeps its machine code in this folder and refuses to start if it cannot.
        (directory / "__pycache__").mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=directory / "__pycache__"):
            return path
    except (OSError, RuntimeError):
        # RuntimeError: this user has no home directory.
        return None


def _replace(path: Path, content: bytes) -> None:
    import tempfile

    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # Older Numba drops machine code when its source changes in time, 0.68 when in text.
        # Two processes that write the same text at once must not outdate each other's code.
        os.utime(temporary, (0, 0))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise

"""The folder of compiled kernels: where it is, whose it is, and how it stays small.

Nobody else may write into it (see `trust`). Files appear by atomic rename, so processes may write
the same kernel at once, and one may remove what another is about to read: that one compiles it.
"""

import contextlib
import os
import re
import sys
import time
import warnings
from pathlib import Path

from adamas.kernel.trust import objection

__all__ = ["cache_directory", "refused", "trim", "used", "write"]

LARGEST = 512 << 20
"""Bytes; a kernel takes about 140 kB, its machine code for one processor included."""
DAY = 86400.0
# What `_replace` and Numba write; the folder may be one in which its user keeps more.
OURS = {
    ".": re.compile(r"(\w+_[0-9a-f]{16})(\.py|\.[a-z0-9_]+\.tmp)"),
    "__pycache__": re.compile(
        r"(\w+_[0-9a-f]{16})\.[\w<>-]+\.py\d+t?(\.nbi|\.\d+\.nbc)(\.tmp\.\w+)?"
    ),
}
_said: set[str] = set()


def cache_directory() -> Path:
    """`ADAMAS_CACHE_DIR`, or `adamas` below the user's cache directory."""
    if chosen := os.environ.get("ADAMAS_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "adamas"


def write(name: str, content: bytes) -> Path | None:
    """Put a kernel's source into the cache; None where that cannot be written or trusted.

    Warns, once for a reason, where another user might have put code there.
    """
    import tempfile

    try:
        directory = cache_directory()
        machine_code = directory / "__pycache__"
        path = directory / f"{name}.py"
        _make(directory)
        if refused(directory, machine_code, path):
            return None
        if not (path.exists() and path.read_bytes() == content):
            _replace(path, content)
        # Numba keeps its machine code in this folder and refuses to start if it cannot.
        _make(machine_code)
        with tempfile.TemporaryFile(dir=machine_code):
            return path
    except (OSError, RuntimeError):
        # RuntimeError: this user has no home directory.
        return None


def refused(directory: Path, *below: Path) -> bool:
    """Whether this folder may hold another user's code; warns once for each reason."""
    reason = objection(directory, below)
    if reason and reason not in _said:
        _said.add(reason)
        warnings.warn(
            f"adamas keeps its compiled kernels in memory, because what lies in {directory} is "
            f"executed, and {reason}. Every new process compiles anew until ADAMAS_CACHE_DIR "
            "names a folder of your own that only you may write (chmod 700).",
            RuntimeWarning,
            stacklevel=2,
        )
    return reason is not None


def used(path: Path, folder: Path) -> None:
    """Remember in `folder`, where Numba keeps it, that the machine code of `path` is in use."""
    with contextlib.suppress(OSError):
        for file in folder.glob(f"{path.stem}.*.nbi"):
            if time.time() - file.stat().st_mtime > DAY:
                os.utime(file)


def trim(directory: Path) -> None:
    """Remove the kernels that were not used for the longest, down to `LARGEST` bytes together.

    Other adamas and Numba versions leave theirs behind under other names; they go first, because
    nothing uses them. So do unfinished files that are older than a day. Files of any other name
    are not ours, and stay.
    """
    kernels: dict[str, list[tuple[Path, os.stat_result]]] = {}
    for folder, name in OURS.items():
        for path in (directory / folder).glob("*_*.*"):
            with contextlib.suppress(OSError):
                if not (parts := name.fullmatch(path.name)):
                    continue
                found, kernel = path.lstat(), parts[1]
                if "tmp" in path.name.split(".") and time.time() - found.st_mtime > DAY:
                    path.unlink()
                else:
                    kernels.setdefault(kernel, []).append((path, found))
    left = sum(found.st_size for files in kernels.values() for _, found in files)
    for files in sorted(kernels.values(), key=lambda files: max(f.st_mtime for _, f in files)):
        if left <= LARGEST:
            return
        for path, found in files:
            left -= found.st_size
            with contextlib.suppress(OSError):
                path.unlink()


def _make(directory: Path) -> None:
    """Make a folder and those above it, as far as they are missing, for this user alone."""
    missing = [path for path in (directory, *directory.parents) if not os.path.lexists(path)]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


def _replace(path: Path, content: bytes) -> None:
    import tempfile

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}.", suffix=".tmp")
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

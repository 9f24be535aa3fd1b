"""Where the lab's files go: a directory that is made, checked, and never left with half a file."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adamas.lab.needs import LabError


@contextmanager
def output_directory(out: Path) -> Iterator[None]:
    """Make sure that `out` is a directory that can be written.

    It is removed again if it was made here and the work inside fails before anything is in it.
    """
    existed = out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except FileExistsError as error:
        raise LabError(f"--out {out} is a file; name a directory") from error
    except OSError as error:
        raise LabError(f"cannot write to --out {out} ({error.strerror})") from error
    try:
        yield
    except BaseException:
        if not existed and not any(out.iterdir()):
            out.rmdir()
        raise


def write_all(out: Path, files: dict[str, str]) -> None:
    """Write all files beside their final names first, then move each into place at once."""
    pending: dict[Path, Path] = {}
    try:
        for name, text in files.items():
            handle, temporary = tempfile.mkstemp(dir=out, prefix=f".{name}.", suffix=".tmp")
            pending[Path(temporary)] = out / name
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            os.chmod(temporary, 0o644)
        for temporary_path, final in pending.items():
            os.replace(temporary_path, final)
    except BaseException:
        for temporary_path in pending:
            temporary_path.unlink(missing_ok=True)
        raise

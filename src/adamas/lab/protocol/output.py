"""Where the lab's files go: a directory that is made, checked, and never left with half a file."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adamas.lab.needs import LabError
from adamas.lab.text import words
from adamas.pages.sentences import Both
from adamas.pages.told import system


@contextmanager
def output_directory(out: Path) -> Iterator[None]:
    """Make sure that `out` is a directory that can be written.

    It is removed again, with the directories above it that were made here, if the work inside fails
    before anything is in it. Raises `LabError` if there is no such directory to be had.
    """
    made: list[Path] = []
    try:
        made = [path for path in (out, *out.parents) if not path.exists()]
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except FileExistsError as error:
        raise LabError("error.out_file", out=out) from error
    except (OSError, ValueError, RecursionError) as error:
        remove_empty(made)
        raise LabError("error.out_unwritable", out=out, reason=system(error)) from error
    try:
        yield
    except BaseException:
        remove_empty(made)
        raise


def remove_empty(directories: Iterable[Path]) -> None:
    """Remove directories, the innermost first, up to one that is not empty or not there."""
    for directory in directories:
        try:
            directory.rmdir()
        except (OSError, ValueError):
            return


@contextmanager
def writing(path: Path, cure: Both | None = None) -> Iterator[None]:
    """Turn a full disk, or another `OSError` while `path` is written, into a `LabError`."""
    try:
        yield
    except OSError as error:
        raise LabError(
            "error.unwritable", path=path, reason=system(error), cure=cure or words("cure.room")
        ) from error


def write_all(out: Path, files: dict[str, str]) -> None:
    """Write all files beside their final names first, then move each into place at once.

    Raises `LabError`, with every file as it was, when there is no room.
    """
    pending: dict[Path, Path] = {}
    cure = words("cure.again")
    with writing(out / ", ".join(files), cure):
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

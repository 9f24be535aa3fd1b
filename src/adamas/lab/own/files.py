"""Files that a user names: what cannot be read is refused with the reason and the cure."""

import hashlib
from difflib import get_close_matches
from pathlib import Path

from adamas.lab.needs import LabError
from adamas.lab.text import words
from adamas.pages.sentences import Both
from adamas.pages.told import system

# Text of this size is some twenty million cells, which take about 2 GB while they are read.
LARGEST = 256 * 2**20


def check_file(path: Path) -> None:
    """Raise `LabError` unless `path` is a file that may be read and is not empty."""
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise LabError("error.empty", path=path)
    except FileNotFoundError:
        raise LabError("error.no_file", path=path, hint=_closest(path)) from None
    except IsADirectoryError:
        raise LabError("error.directory", path=path) from None
    except (OSError, ValueError) as error:
        raise LabError("error.unreadable", path=path, reason=system(error)) from None


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_size(path: Path) -> None:
    """Raise `LabError` for a file that is too large to be held as text."""
    size = path.stat().st_size
    if size > LARGEST:
        raise LabError("error.large", file=path.name, size=size / 2**20, most=LARGEST // 2**20)


def _closest(path: Path) -> Both:
    try:
        names = [found.name for found in path.parent.iterdir()]
    except OSError:
        return words("hint.no_directory", path=path.parent)
    close = get_close_matches(path.name, names, 1)
    if not close:
        return words("hint.check_name")
    return words("hint.mean", name=path.with_name(close[0]))

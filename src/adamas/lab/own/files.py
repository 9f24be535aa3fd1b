"""Files that a user names: what cannot be read is refused with the reason and the cure."""

import hashlib
from difflib import get_close_matches
from pathlib import Path

from adamas.lab.needs import LabError

# Text of this size is some twenty million cells, which take about 2 GB while they are read.
LARGEST = 256 * 2**20


def check_file(path: Path) -> None:
    """Raise `LabError` unless `path` is a file that may be read and is not empty."""
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise LabError(f"{path} is empty (0 bytes); give a file with data")
    except FileNotFoundError:
        raise LabError(f"there is no file {path}{_closest(path)}") from None
    except IsADirectoryError:
        raise LabError(f"{path} is a directory; name one file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LabError(
            f"{path} cannot be read ({reason}); check its name and permissions"
        ) from None


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_size(path: Path) -> None:
    """Raise `LabError` for a file that is too large to be held as text."""
    size = path.stat().st_size
    if size > LARGEST:
        raise LabError(
            f"{path.name} has {size / 2**20:,.0f} MiB, more than {LARGEST // 2**20}; "
            "a random sample of its rows says as much about optimizers"
        )


def _closest(path: Path) -> str:
    try:
        names = [found.name for found in path.parent.iterdir()]
    except OSError:
        return f"; nor a directory {path.parent}"
    close = get_close_matches(path.name, names, 1)
    return f"; did you mean {path.with_name(close[0])}?" if close else "; check the name"

"""The job behind `adamas learn`: put the pages that ship where the reader wants them."""

import os
import tempfile
from importlib.resources import files
from pathlib import Path

from adamas.learn.book import GUIDE

BUILT = files("adamas.learn") / "built"
# The folders of the pages, which link to each other.
FOLDERS = ("learn", "playground", "rules")


def write(out: Path, language: str) -> Path:
    """Write every page below `out`, and return the path of the guide in `language`.

    Each page appears whole or not at all, replacing an earlier one. Raises OSError where it cannot
    be written.
    """
    for folder in FOLDERS:
        for page in (BUILT / folder).iterdir():
            _write(out / folder / page.name, page.read_bytes())
    return out / FOLDERS[0] / GUIDE[language]


def _write(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

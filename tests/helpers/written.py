"""Rules that a test makes up, written into a real file, because adamas reads a rule's source."""

import importlib.util
import itertools
import textwrap
from pathlib import Path
from typing import Any

HEAD = "import adamas\nfrom adamas.words import *\n\n\n"
_numbers = itertools.count()


def module(folder: Path, text: str, head: str = HEAD) -> Any:
    """Write `text` to a new file in `folder` and import it."""
    path = folder / f"written_{next(_numbers)}.py"
    path.write_text(head + textwrap.dedent(text).lstrip("\n"), "utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def function(folder: Path, text: str, name: str = "f") -> Any:
    """Import the function `name` from a new file with `text`."""
    return getattr(module(folder, text), name)

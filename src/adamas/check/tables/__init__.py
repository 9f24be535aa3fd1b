"""What is data in `adamas check`: formulas of papers, Adam's choices, the names of arguments."""

from functools import cache
from importlib.resources import files
from tomllib import loads
from typing import Any


@cache
def table(subject: str) -> dict[str, Any]:
    """What the file `subject`.toml here holds."""
    return loads(files(__name__).joinpath(f"{subject}.toml").read_text("utf-8"))

"""The example that `adamas compare --new mine.py` writes, for the user to change: template.txt."""

from importlib.resources import files
from pathlib import Path

from adamas.lab.needs import LabError
from adamas.pages.told import system


def write(path: Path | str) -> None:
    """Write the example; `LabError` if the file is there, is not `.py`, or cannot be written."""
    path = Path(path)
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise LabError("error.template_name", path=path)
    text = files("adamas.lab.own").joinpath("template.txt").read_text("utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text.replace("mine.py", path.name))
    except FileExistsError:
        raise LabError("error.template_there", path=path) from None
    except OSError as error:
        raise LabError("error.template_place", path=path, reason=system(error)) from None

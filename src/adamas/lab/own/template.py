"""The example that `adamas compare --new mine.py` writes, for the user to change: template.txt."""

from importlib.resources import files
from pathlib import Path

from adamas.lab.needs import LabError


def write(path: Path | str) -> None:
    """Write the example; `LabError` if the file is there, is not `.py`, or cannot be written."""
    path = Path(path)
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise LabError(f"{path} is no name of a Python file; use one such as mine.py")
    text = files("adamas.lab.own").joinpath("template.txt").read_text("utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text.replace("mine.py", path.name))
    except FileExistsError:
        raise LabError(
            f"{path} is there already and is not overwritten; choose another name"
        ) from None
    except OSError as error:
        raise LabError(
            f"{path} cannot be written ({error.strerror}); choose another place"
        ) from None

"""What a file of another library holds: its arrays by name, and what it says of an optimizer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from numpy.typing import NDArray

from adamas.files.reading import Named
from adamas.files.summary import measured


@dataclass(frozen=True)
class Stored:
    """One array of a file: its format, in safetensors' words where they have one, and its bytes.

    `read` is None for what is no plain array, such as a sparse tensor.
    """

    form: str
    shape: tuple[int, ...]
    size: int
    read: Callable[[], NDArray[Any]] | None


@dataclass(frozen=True)
class Found:
    """A file that has been opened; `steps` and `optimizer` are None where it does not say them."""

    path: str
    kind: str
    arrays: Mapping[str, Stored]
    steps: int | None = None
    optimizer: str | None = None
    groups: list[dict[str, Any]] = field(default_factory=list)


def summary(found: Found) -> dict[str, Any]:
    """What a file says of itself, and of each array its format, shape, bytes and numbers."""
    with Named(found.path):
        tensors = [
            measured(name, one.form, one.shape, one.size, one.read and one.read())
            for name, one in found.arrays.items()
        ]
    return {
        "path": found.path,
        "kind": found.kind,
        "optimizer": found.optimizer,
        "steps": found.steps,
        "groups": found.groups,
        "bytes": sum(one["bytes"] for one in tensors),
        "tensors": tensors,
    }


def needed(package: str) -> None:
    """Raise ValueError that says how to install a package without which a file is not read."""
    if find_spec(package) is None:
        raise ValueError(_takes("read", package))


def _takes(doing: str, package: str) -> str:
    return f"to {doing} it takes {package}; install it with: pip install {package}"


@contextmanager
def writing(path: str) -> Iterator[None]:
    """Turn the lack of a library for a file that is written into ValueError, as `needed` does."""
    try:
        yield
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        # adamas says itself what a face of it needs, without a name of a module.
        told = _takes("write", package) if package else str(error).rstrip(".")
        raise ValueError(f"{path!r}: {told}.") from error


@contextmanager
def read_by(library: str) -> Iterator[None]:
    """Turn whatever a library raises on a spoilt file into ValueError in one line.

    What the system says of the file itself, which then has a name, stays.
    """
    try:
        yield
    except (ValueError, TypeError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        said = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"{library} does not read it: {said}") from error


def bounded(name: str, size: int, room: int) -> None:
    """Raise ValueError for an array that would take more than all of its file does."""
    if size > room:
        raise ValueError(
            f"array {name[:60]!r} would have {size:,} bytes, and the file has {room:,}"
        )


def together(arrays: Mapping[str, Stored], room: int) -> None:
    """Raise ValueError for arrays that would take more than all of their file does, in sum.

    So do most that are compressed: what they grow to is bounded by nothing that a file says.
    """
    if (size := sum(one.size for one in arrays.values())) > room:
        raise ValueError(
            f"its {len(arrays):,} arrays would have {size:,} bytes together, and the file has "
            f"{room:,}; compressed ones are not read, write them without compression"
        )

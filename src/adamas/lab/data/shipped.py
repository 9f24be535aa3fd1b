"""Files that an installed package ships, read without importing it and checked by their SHA-256.

Importing such a package would load plotting libraries and frameworks that the lab does not need,
and the checksum makes a result name the data it was measured on.
"""

from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from adamas.lab.needs import UnavailableError
from adamas.lab.problems import Array


def package_file(package: str, path: str, *, module: str = "") -> bytes:
    """Return the content of a file inside an installed package, which is not imported.

    `package` is the name that pip knows, `path` is relative to the top-level `module`, which has
    the same name unless given. `UnavailableError` says what to install when there is no such file.

    >>> package_file("scikit-learn", "datasets/data/iris.csv", module="sklearn")[:5]
    b'150,4'
    """
    spec = find_spec(module or package.replace("-", "_"))
    for folder in (spec and spec.submodule_search_locations) or ():
        if (file := Path(folder, path)).is_file():
            return file.read_bytes()
    try:
        found = distribution(package).version
    except PackageNotFoundError:
        raise UnavailableError("package", package=package, path=path) from None
    raise UnavailableError("file", package=package, path=path, version=found)


def checked(content: bytes, expected: str, what: str) -> bytes:
    """Return `content` unchanged if its SHA-256 is `expected`, 64 hex digits.

    Raises `UnavailableError` if it is not.

    >>> checked(b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "nothing")
    b''
    """
    found = sha256(content).hexdigest()
    if found != expected:
        raise UnavailableError("checksum", what=what, found=found, expected=expected)
    return content


def checked_arrays(arrays: tuple[Array, ...], expected: str, what: str) -> tuple[Array, ...]:
    """Return `arrays` unchanged if the SHA-256 of their joined C-order bytes is `expected`."""
    checked(b"".join(array.tobytes() for array in arrays), expected, what)
    return arrays

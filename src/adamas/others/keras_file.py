"""Files of Keras, `.keras` and `.weights.h5`: their arrays and what they say of the optimizer.

A `.keras` is a zip of two JSON texts and one HDF5 file; nothing of what the texts name is made.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from zipfile import ZipFile

import numpy as np

from adamas.engine.loading import count
from adamas.files import reading
from adamas.files.header import NAMED
from adamas.files.reading import Named
from adamas.others.found import Found, Stored, bounded, needed, read_by, together

WEIGHTS, CONFIG = "model.weights.h5", "config.json"
# Where Keras puts an optimizer's variables, numbered, and what adamas.keras writes beside them.
VARIABLES, RECORD = "optimizer/vars", "adamas"
# Bytes of the texts that are read; a model of 10,000 layers has less.
LONGEST = 1 << 26


@dataclass(frozen=True)
class Contents:
    """The arrays of a file by their paths, the optimizer as it was configured, and its names."""

    arrays: Mapping[str, Stored]
    config: Mapping[str, Any] | None
    record: Mapping[str, Any]

    @property
    def variables(self) -> dict[str, Stored]:
        """The optimizer's variables by their numbers."""
        begin = f"{VARIABLES}/"
        found = {
            n.removeprefix(begin): one for n, one in self.arrays.items() if n.startswith(begin)
        }
        return dict(sorted(((n, one) for n, one in found.items() if n.isdigit()), key=_number))


def _number(pair: tuple[str, Stored]) -> int:
    return int(pair[0])


def contents(path: str) -> Contents:
    """A file of Keras, opened; ValueError for what is none."""
    room = os.path.getsize(path)
    with Named(path, brief=True), read_by("h5py"):
        needed("h5py")
        import h5py  # type: ignore[import-untyped]

        config: Mapping[str, Any] | None = None
        if _zipped(path):
            archive = ZipFile(path)
            config = _config(archive)
            file = h5py.File(archive.open(_whole(archive, WEIGHTS)), "r")
        else:
            file = h5py.File(path, "r")
        arrays = dict(_datasets(file, "", room, set()))
        together(arrays, room)
        record = arrays.get(f"{VARIABLES}/{RECORD}")
        return Contents(arrays, config, _record(record) if record else {})


def _zipped(path: str) -> bool:
    with reading.opened(path) as file:
        return file.read(2) == b"PK"


def _whole(archive: ZipFile, name: str) -> Any:
    """A part of a zip that lies in it as it is; ValueError for one that would grow."""
    found = archive.getinfo(name)
    if found.file_size != found.compress_size:
        raise ValueError(f"{name} in it is compressed, as Keras does not write it")
    return found


def _config(archive: ZipFile) -> Mapping[str, Any] | None:
    """What the optimizer was made with, as its class and its arguments."""
    if archive.getinfo(CONFIG).file_size > LONGEST:
        raise ValueError(f"{CONFIG} in it is too long")
    found = _at(json.loads(archive.read(CONFIG)), "compile_config", "optimizer")
    while inner := _at(found, "config", "inner_optimizer"):
        found = inner
    return found if isinstance(found, Mapping) and "class_name" in found else None


def _at(given: Any, *keys: str) -> Any:
    """What stands under some keys, one inside of the other; None where there is none."""
    for key in keys:
        given = given.get(key) if isinstance(given, Mapping) else None
    return given


def _datasets(group: Any, path: str, room: int, seen: set[Any]) -> Iterator[tuple[str, Stored]]:
    """Every array of an HDF5 file; ValueError for what lies in another file."""
    import h5py

    # Groups may hold each other, in a circle.
    place = h5py.h5o.get_info(group.id).addr
    if place in seen or len(path) > LONGEST:
        raise ValueError(f"{path[:60]!r} in it stands there twice")
    seen.add(place)
    for name in group:
        link, where = group.get(name, getlink=True), f"{path}/{name}".lstrip("/")
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{where[:60]!r} in it is a link, which adamas does not follow")
        one = group[name]
        if isinstance(one, h5py.Group):
            yield from _datasets(one, where, room, seen)
        elif isinstance(one, h5py.Dataset):
            if one.external or one.is_virtual:
                raise ValueError(f"{where[:60]!r} in it lies in another file")
            yield where, _stored(where, one, room)


def _stored(name: str, one: Any, room: int) -> Stored:
    bounded(name, int(one.nbytes), room)
    # Keras writes bfloat16 as its bits, and says so beside them.
    told = str(one.attrs.get("dtype", ""))
    if told == "bfloat16" and one.dtype.itemsize == 2:
        return Stored("BF16", one.shape, one.nbytes, lambda: _reader(one)().view("<u2"))
    form = NAMED.get(one.dtype.newbyteorder("<")) if one.dtype.kind in "biufc" else None
    return Stored(form or str(one.dtype), one.shape, one.nbytes, _reader(one) if form else None)


def _reader(one: Any) -> Any:
    def read() -> Any:
        with read_by("h5py"):
            return np.asarray(one[()])

    return read


def _record(one: Stored) -> Mapping[str, Any]:
    """What adamas.keras writes beside the variables."""
    found: Any = json.loads(bytes(one.read())) if one.read else None
    named = isinstance(found, dict) and isinstance(found.get("names"), list)
    if not (named and isinstance(found.get("paths"), list)):
        raise ValueError("what adamas wrote into it is not whole")
    return dict(found)


def opened(path: str) -> Found:
    """The arrays of a file of Keras by name, and its optimizer."""
    found = contents(path)
    with Named(path, brief=True):
        names = found.record.get("names", ())
        begin = f"{VARIABLES}/"
        called = {f"{begin}{k}": f"optimizer/{name}" for k, name in enumerate(names)}
        arrays = {
            called.get(name, name): one
            for name, one in found.arrays.items()
            if name != f"{begin}{RECORD}"
        }
        if not arrays:
            raise ValueError("it holds no arrays")
        first = found.variables.get("0")
        steps = None
        if first and first.read and not first.shape and first.form.startswith(("I", "U")):
            steps = count("steps", int(first.read()))
        optimizer, groups = None, []
        if found.config:
            module, kind = found.config.get("module"), found.config["class_name"]
            optimizer = f"{module or 'keras.optimizers'}.{kind}"
            config = found.config.get("config")
            groups = [dict(config) if isinstance(config, Mapping) else {}]
        elif found.record:
            optimizer = f"adamas.keras ({str(found.record.get('rule'))[:60]})"
    return Found(path, "keras", arrays, steps, optimizer, groups)


def write(file: BinaryIO, store: Mapping[str, Any], like: str | None) -> None:
    """Write an optimizer's variables by number, beside the layers of the file `like`, if given.

    Raises OSError, and ValueError for a `like` that is no HDF5 file of Keras.
    """
    import h5py

    if like is not None:
        contents(like)
        if _zipped(like):
            raise ValueError(f"{like!r} is a zip; give the weights of the model, .weights.h5.")
        with open(like, "rb") as layers:
            shutil.copyfileobj(layers, file)
    with h5py.File(file, "w" if like is None else "r+") as found:
        if VARIABLES in found:
            del found[VARIABLES]
        group = found.create_group(VARIABLES)
        for key, value in store.items():
            group.create_dataset(key, data=np.asarray(value))

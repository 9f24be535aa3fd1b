"""A directory becomes the place of a state: made anew, or found again and gone on with."""

import errno
import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from adamas.disk import file as state_file
from adamas.disk import rooms
from adamas.disk.file import NAME, StateFile
from adamas.disk.maps import home, mapped
from adamas.disk.recovery import Whole, put_back
from adamas.disk.undo import Undo
from adamas.engine.first import WAITING
from adamas.engine.loading import regrouping, unpacked
from adamas.engine.modes import average_of
from adamas.engine.state import Store
from adamas.engine.tensors import address
from adamas.engine.threads import straight
from adamas.engine.whole import counting, everything
from adamas.files.checkpoint import Checkpoint
from adamas.files.contents import compare, document
from adamas.files.filed import HOME, contents, shapes
from adamas.files.reading import Named
from adamas.files.tree import array_leaf


def check(path: Any, whole: Whole) -> None:
    """Raise TypeError or ValueError for what cannot be kept in a directory."""
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(f"state_dir={path!r} must be the path of a directory.")
    if not os.fsdecode(path):
        raise ValueError("state_dir='' must be the path of a directory; '.' is the one you are in.")
    if os.path.exists(path) and not os.path.isdir(path):
        raise NotADirectoryError(errno.ENOTDIR, "state_dir= is a file, and no directory", path)
    if not (hasattr(os, "preadv") and hasattr(mmap.mmap, "madvise")):
        raise ValueError("state_dir=: this system has no files that are kept so; use Linux.")
    for part in whole.parts:
        if average_of(part.rule):
            raise ValueError(
                f"state_dir=: {part.rule.name} trains at one point and is evaluated at another, "
                "which moves parameters between steps; keep its state in memory."
            )
        for tensor in part.tensors:
            if tensor.order is not None:
                raise ValueError(
                    f"state_dir=: parameter {tensor.key!r} lies in another order of its axes than "
                    "C; pass np.ascontiguousarray of it."
                )
            if tensor.packed and home(address(tensor.given)):
                raise ValueError(
                    f"state_dir=: parameter {tensor.key!r} is a part of an array of open_params "
                    "that does not lie in one piece, or begins between two numbers; pass the "
                    "array itself, or a copy."
                )


def said(whole: Whole, kind: str) -> str:
    """What a file says of an optimizer of class `kind` as it is now."""
    saved = everything(whole, Store.live)
    for part in whole.parts:
        for key, waiting in rooms.waiting(part).items():
            saved["state"][key][WAITING] = waiting
    return document(contents(kind, whole, saved))[0]


def opened(folder: str, whole: Whole, kind: str) -> tuple[Undo, StateFile]:
    """The two files of a directory, the arrays of `whole` in the one of them.

    Raises OSError and ValueError that name what is wrong; a directory that was made for it is gone
    again then, and one that was there is as it was, but for an unfinished step that is put back.
    """
    made = list(_missing(folder))
    place, undo = os.path.join(folder, NAME), None
    ours = not os.path.lexists(os.path.join(folder, "undo"))
    for part in whole.parts:
        rooms.prepare(part)
    try:
        os.makedirs(folder, exist_ok=True)
        undo = Undo(os.path.join(folder, "undo"))
        with Named(undo.path):
            if undo.unfinished:
                put_back(undo, place, whole)
        if os.path.exists(place):
            return undo, _found(place, whole)
        return undo, _created(folder, whole, kind)
    except BaseException:
        if undo and ours and not os.path.lexists(place):
            with suppress(OSError):
                os.unlink(undo.path)
        if undo:
            # Whoever keeps the error does not keep the directory.
            undo.close()
        with suppress(OSError):
            for one in made:
                os.rmdir(one)
        raise


def _missing(folder: str) -> Iterator[str]:
    """The folders that are not there, the innermost first."""
    while not os.path.lexists(folder):
        yield folder
        folder = os.path.dirname(folder)


def _created(folder: str, whole: Whole, kind: str) -> StateFile:
    text, leaves = document(contents(kind, whole, everything(whole, Store.live)))
    for label, own, name in arrays(whole):
        if label not in leaves and (leaf := array_leaf(own[name])):
            leaves[label] = leaf
    try:
        made = state_file.create(folder, text, leaves)
        _give(whole, made)
        for part in whole.parts:
            part.store.begin()
            marks = part.store.first.marks
            marks.settled = dict.fromkeys(marks.rooms, 0)
        made.map.let_go()
        state_file.settle(folder, made)
    except BaseException:
        with suppress(OSError):
            os.unlink(state_file.part(folder))
        raise
    return made


def _found(place: str, whole: Whole) -> StateFile:
    """A file that is there; ValueError that lists what does not fit."""
    if os.path.islink(place):
        raise ValueError(f"{place!r}: it is a link; give state_dir= the directory that it leads to")
    file = Checkpoint(place)
    with Named(place, brief=True):
        if file.home != HOME:
            raise ValueError(f"it was saved by {file.home}; load it into a new directory")
        cure = "other parameters take a directory of their own"
        compare(file, shapes(whole), [part.rule for part in whole.parts], True, cure)
        names = [part.formula.name for part in whole.parts]
        found = unpacked(file.state(waiting=True), names, True)
        actions = regrouping(whole.settings, found, True)
        made = StateFile(mapped(place))
        if wrong := sorted({*_misfits(whole, made)}):
            raise ValueError(f"its state is kept otherwise: {'; '.join(wrong)}")
        for part in whole.parts:
            actions += part.store.numbering(found.state)
            actions += rooms.resuming(part, found.state)
    _give(whole, made)
    straight([*actions, *counting(whole, found.steps, found.seed)])
    return made


def arrays(whole: Whole) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The name in the file of every array, the dict that it stands in, and its name there."""
    for part in whole.parts:
        of_rows = part.store.first.marks.rooms
        for index, key in enumerate(part.keys):
            for own in (part.store.arrays[index], of_rows.get(index, {})):
                for name in list(own):
                    yield f"state/{key}/{name}", own, name


def _misfits(whole: Whole, made: StateFile) -> Iterator[str]:
    placed, wanted = made.placed, set()
    for label, own, name in arrays(whole):
        wanted.add(label)
        here, there = own[name], placed.get(label)
        if there is None and rooms.spare(label):
            del own[name]
            continue
        if there is None:
            kind = "it was made with rows='lazy'" if rooms.of_exact(label) else ""
            yield kind or f"it lacks {label!r}"
            continue
        array = made.array(label)
        if (array.dtype, array.shape) != (here.dtype, here.shape):
            what = f"{there.form}{list(there.shape)}, here {here.dtype}{list(here.shape)}"
            yield f"{label!r} is {what}"
    for label in placed.keys() - wanted:
        kind = "it was made with rows='exact'" if rooms.of_exact(label) else ""
        yield kind or f"it has {label!r} besides"


def _give(whole: Whole, made: StateFile) -> None:
    """Let the arrays of all states be those of the file."""
    for label, own, name in arrays(whole):
        own[name] = made.array(label)

"""A file is written whole or not at all: beside its place, to the disk, and only then into it.

A process that dies on the way leaves the file as it was, and beside it one temporary file, which
the next one to save there writes over.
"""

import contextlib
import errno
import io
import os
import weakref
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from adamas.files.bytes_of_files import write as write_whole
from adamas.files.naming import FLAGS, named, settle, turn
from adamas.files.room import allocate, told

try:
    import fcntl
except ImportError:  # pragma: no cover  (not a POSIX system)
    fcntl = None  # type: ignore[assignment]


def write(path: "str | os.PathLike[str]", parts: Iterable[Any], size: int, keep: int = 1) -> None:
    """Put `parts`, buffers of `size` bytes together, into the file at `path`.

    Of the files that were there before the last `keep - 1` stay, see `generation`. Raises OSError
    that names the file and the bytes it takes, and whatever `parts` raise; the file that is there,
    and those before it, then stay.
    """
    with placing(path, size, keep) as file:
        # A full disk is found here, before the first byte is written.
        allocate(file.fileno(), size)
        done = sum(file.write(part) for part in parts)
        if done != size:
            raise RuntimeError(f"{done} bytes were written where {size} had been announced.")


class Writing(io.FileIO):
    """A file on its way, which takes whole what it is given.

    `failed` is what the disk refused first: libraries make other errors of it, or of what follows.
    """

    failed: OSError | None = None

    def write(self, given: Any, /) -> int:
        """Write a buffer where the file stands; OSError where not all of it can be written."""
        try:
            write_whole(self.fileno(), given)
        except OSError as error:
            self.failed = self.failed or error
            raise
        return memoryview(given).nbytes


@contextlib.contextmanager
def placing(
    path: "str | os.PathLike[str]", size: int | None = None, keep: int = 1
) -> Iterator[Writing]:
    """An empty file that has its place at `path` when what is inside is done, and raises nothing.

    Raises what `write` does, and inside of `only_new` FileExistsError where somebody has it.
    """
    place = os.path.realpath(os.fsdecode(path))
    folder, name = os.path.split(place)
    spare = os.path.join(folder, f".{name}.part")
    try:
        _check(place)
        file = _claimed(spare)
        _open.add(file)
        try:
            yield from _filled(file)
            os.fsync(file)
            if _only_new.get():
                named(spare, place)
            else:
                turn(place, spare, keep)
                os.replace(spare, place)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(spare)
            raise
        finally:
            _open.discard(file)
            os.close(file)
    except OSError as error:
        raise told(error, place, size) from error
    settle(folder)


_only_new: ContextVar[bool] = ContextVar("only_new", default=False)


@contextlib.contextmanager
def only_new(only: bool) -> Iterator[None]:
    """Inside of it, if `only`, whatever is saved takes the place of no file that is there."""
    before = _only_new.set(only)
    try:
        yield
    finally:
        _only_new.reset(before)


def _check(place: str) -> None:
    """Raise OSError for what a file must not replace."""
    if os.path.exists(place) and not os.path.isfile(place) and not os.path.isdir(place):
        raise OSError(errno.EINVAL, "it is a device or a pipe, which a file would replace")
    if any(same(place, one.file) for one in in_place):
        raise OSError(errno.EBUSY, "it is open, and stepped where it lies; save to another path")


def _filled(file: int) -> Iterator[Writing]:
    """The file for whoever writes it; what the disk says is raised, whatever they make of it."""
    with Writing(file, "r+", closefd=False) as out:
        try:
            yield out
        except Exception as error:
            if out.failed in (None, error):
                raise
            raise out.failed from error


# Files that are changed where they lie, open as `file`: what took their places would be lost.
in_place: "weakref.WeakSet[Any]" = weakref.WeakSet()


def same(path: str, file: int) -> bool:
    """Whether the file at a path is this open one."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except OSError:
        return False


# What is being written; a child that is forked off meanwhile would hold its lock.
_open: set[int] = set()


def _forked() -> None:
    while _open:
        os.close(_open.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _claimed(spare: str) -> int:
    """The temporary file, open and empty; BlockingIOError while another process writes it."""
    while True:
        file = os.open(spare, os.O_RDWR | os.O_CREAT | FLAGS, 0o666)
        try:
            _lock(file)
            # Whoever held the lock may have put this very file into its place meanwhile.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(found := os.fstat(file), os.stat(spare)):
                    if found.st_nlink < 2:
                        os.ftruncate(file, 0)
                        return file
                    # A process died between the two names of a file that is whole.
                    os.unlink(spare)
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lock(file: int) -> None:
    """Hold a file until it is closed or its process dies; where files have no locks, nothing."""
    if fcntl is None:  # pragma: no cover  (not a POSIX system)
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(
            errno.EWOULDBLOCK, "somebody else is saving to the same file just now"
        ) from None
    except OSError:
        return

"""The names that a file gets when it is whole, and those of the files that were there before."""

import contextlib
import errno
import os

# A link that somebody left in a folder leads to a file that is no business of ours.
FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


def generation(path: str, age: int) -> str:
    """What the file at `path` is called that was there `age` saves before.

    >>> generation("runs/a.safetensors", 0), generation("runs/a.safetensors", 2)
    ('runs/a.safetensors', 'runs/a.2.safetensors')
    """
    stem, suffix = os.path.splitext(path)
    return f"{stem}.{age}{suffix}" if age else path


def turn(place: str, spare: str, keep: int) -> None:
    """Let every file that was there before be one generation older; that at `place` stays, too."""
    if keep < 2 or not os.path.exists(place):
        return
    last = generation(place, 1)
    if os.path.exists(last) and os.path.samefile(place, last):
        # A process died between the two names of one file; it is a generation already.
        return
    for age in range(keep - 1, 1, -1):
        if os.path.exists(generation(place, age - 1)):
            os.replace(generation(place, age - 1), generation(place, age))
    link = f"{spare}.old"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(link)
    try:
        os.link(place, link)
    except OSError:
        # Without second names for files there is none at `place` for a moment.
        link = place
    os.replace(link, last)


def named(spare: str, place: str) -> None:
    """Give a file its name; FileExistsError, where somebody else has it."""
    try:
        os.link(spare, place)
    except FileExistsError:
        raise
    except OSError:
        # Without second names for files an empty one holds the name, and is replaced.
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | FLAGS, 0o666))
        try:
            os.replace(spare, place)
        except OSError:
            os.unlink(place)
            raise
    else:
        os.unlink(spare)


def settle(folder: str) -> None:
    """Bring the names in a folder to the disk, where a folder can be opened for that."""
    try:
        file = os.open(folder, os.O_RDONLY)
    except OSError:  # pragma: no cover  (not a POSIX system)
        return
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):
            raise
    finally:
        os.close(file)

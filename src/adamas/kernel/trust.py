"""Whether a folder is its user's alone: what lies in the kernel cache is executed.

Numba unpickles what it finds, so the question is asked before it looks. A folder is trusted if
nobody else can put anything into it, and nobody can put another folder in its place.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

# Windows has no such owners; a user's profile is private there.
CHECKED = hasattr(os, "geteuid")


def objection(directory: Path, below: Iterable[Path] = ()) -> str | None:
    """Why `directory` and the paths `below` it may hold another user's code; None if they cannot.

    The last component must not be a link; in front of it links are followed, and every folder on
    the way must belong to the user or to root. Paths that do not exist are no objection.
    """
    if not CHECKED:
        return None
    closed = False
    for folder in reversed(Path(os.path.realpath(directory.parent)).joinpath("x").parents):
        found = os.lstat(folder)
        if found.st_uid not in (0, os.geteuid()):
            return f"{folder} belongs to another user"
        if not closed and _others_write(found) and not found.st_mode & stat.S_ISVTX:
            return f"others may write into {folder}"
        closed |= _closed(found)
    for path in (directory, *below):
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            continue
        if not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
            return f"{path} is a link or another special file"
        if found.st_uid != os.geteuid():
            return f"{path} belongs to another user"
        if not closed and _others_write(found):
            return f"others may write {path}"
        closed |= _closed(found)
    return None


def _closed(found: os.stat_result) -> bool:
    """Whether nobody else but root can reach what lies in this folder."""
    mine, open_to = found.st_uid == os.geteuid(), stat.S_IXGRP | stat.S_IXOTH
    return stat.S_ISDIR(found.st_mode) and mine and not found.st_mode & open_to


def _others_write(found: os.stat_result) -> bool:
    """Whether somebody but the owner may write; a group of the owner alone is no one else."""
    if found.st_mode & stat.S_IWOTH:
        return True
    return bool(found.st_mode & stat.S_IWGRP) and not _own_group(found)


def _own_group(found: os.stat_result) -> bool:
    """Whether the group is the owner's private one, as Linux distributions make for every user."""
    import grp
    import pwd

    try:
        owner, group = pwd.getpwuid(found.st_uid), grp.getgrgid(found.st_gid)
    except KeyError:
        return False
    return group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}

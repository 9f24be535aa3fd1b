"""Room on the disk: taken before the first byte, and what is said where there is too little."""

import contextlib
import errno
import os


def allocate(file: int, size: int) -> bool:
    """Take room on the disk for a file of so many bytes; False where that cannot be done.

    Raises OSError where there is too little.
    """
    if not size or not hasattr(os, "posix_fallocate"):
        return not size
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        return False
    return True


def told(
    error: OSError, place: str, size: int | None, then: str = "nothing was changed"
) -> OSError:
    """The error with what a reader needs to make room: the file, its bytes, those that are free.

    Of a file that somebody else writes the bytes are not known before.
    """
    free = ""
    with contextlib.suppress(OSError, AttributeError):
        found = os.statvfs(os.path.dirname(place))
        free = f", and {found.f_bavail * found.f_frsize:,} are free there"
    takes = "this file was not written" if size is None else f"this file takes {size:,} bytes"
    what = f"{error.strerror or error}; {takes}{free}; {then}"
    return OSError(error.errno, what, place)

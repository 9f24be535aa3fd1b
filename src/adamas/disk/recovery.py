"""A step that a process has left unfinished is put back by the next one."""

import os
from itertools import groupby

from adamas.disk.file import NAME
from adamas.disk.maps import known
from adamas.disk.undo import Open, Undo
from adamas.disk.windows import merged, span
from adamas.engine.several import Several
from adamas.engine.stepper import Stepper
from adamas.engine.tensors import address
from adamas.files import atomic
from adamas.files.naming import FLAGS

Whole = Stepper | Several


def put_back(undo: Undo, place: str, whole: Whole) -> None:
    """Put an unfinished step back into the state at `place` and where the parameters lie in files.

    Raises OSError, and ValueError for an undo file that would change anything else.
    """
    if not os.path.lexists(place):
        raise ValueError(f"it is not empty, and {NAME!r}, which it would belong to, is not there")
    works = [tensor.work for part in whole.parts for tensor in part.tensors]
    spans = merged([one for work in works for one in span(address(work), work.nbytes)])
    maps = {one.at: one for one in known()}
    given: list[Open] = [
        (maps[at].file, [(begin, end) for _, begin, end in pieces])
        for at, pieces in groupby(spans, lambda one: one[0])
    ]
    state = os.open(place, os.O_RDWR | FLAGS)
    own: Open = state, [(0, os.fstat(state).st_size)]

    def find(number: int, path: str, size: int) -> Open:
        """Return the state, or a file that the user has opened; the list may name any."""
        path = os.path.join(os.path.dirname(place), path)
        if os.stat(path).st_size != size:
            raise ValueError(f"it is of {path!r} with {size:,} bytes, which has others now")
        for one in given if number else [own]:
            if atomic.same(path, one[0]):
                return one
        raise ValueError(
            f"it would change {path!r}, in which none of these parameters lies; make the "
            "optimizer of those that open_params of that file gives"
        )

    try:
        undo.put_back(find)
    finally:
        os.close(state)

"""The names that users give to optimizers, fit to stand in a page, a table and a figure."""

from collections.abc import Mapping, Sequence

from adamas.lab.needs import LabError
from adamas.lab.page.looks import columns, display_name

LONGEST_NAME = 40
# Where a spreadsheet would begin to compute.
COMPUTED = ("=", "+", "-", "@")


def check_names(optimizers: Sequence[str], names: Mapping[str, str]) -> None:
    """Refuse a name that cannot be shown, or that another optimizer has.

    Raises `LabError` that names it.
    """
    for optimizer, name in names.items():
        if optimizer not in optimizers:
            raise LabError("error.name_of_nobody", name=name, optimizer=optimizer)
        told = isinstance(name, str)  # from Python it may be anything
        good = told and name.strip() == name and name.isprintable()
        good = good and 0 < columns(name) <= LONGEST_NAME
        if not good or name.startswith(COMPUTED):
            raise LabError("error.name", name=name, most=LONGEST_NAME, computed=" ".join(COMPUTED))
    shown = [names.get(optimizer, display_name(optimizer)) for optimizer in optimizers]
    twice = next((name for name in names.values() if shown.count(name) > 1), None)
    # The text of another one is a name for it, too.
    texts = {one: name for one, name in names.items() if name in optimizers and name != one}
    twice = twice or next(iter(texts.values()), None)
    if twice is not None:
        raise LabError("error.name_twice", name=twice)

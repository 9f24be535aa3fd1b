"""The built-in problems by name; a problem's module is imported only when it is asked for."""

from importlib import import_module

from adamas.lab.needs import LabError
from adamas.lab.problems import Problem

# name on the command line -> where the `Problem` is.
CATALOGUE: dict[str, str] = {
    "line": "adamas.lab.line:FULL",
    "words": "adamas.lab.sparse:WORD_PROBLEM",
    "digits": "adamas.lab.digits:MLP",
    "digits-softmax": "adamas.lab.digits:SOFTMAX",
}


def built_in(name: str) -> Problem:
    """Return a built-in problem; `LabError` names them all when there is none of that name."""
    if name not in CATALOGUE:
        known = ", ".join(sorted(CATALOGUE))
        raise LabError(f"no problem is called {name!r}; built in are {known}")
    module, _, attribute = CATALOGUE[name].partition(":")
    found: Problem = getattr(import_module(module), attribute)
    return found

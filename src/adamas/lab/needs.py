"""What the lab needs beyond the core, checked before any import fails halfway."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

from adamas.lab.text import words

# module that is imported -> name to install
PACKAGES = {
    "matplotlib": "matplotlib",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "joblib": "joblib",
    "threadpoolctl": "threadpoolctl",
}


class LabError(Exception):
    """A reason why a job of the lab cannot start, in one sentence that names the cure."""


class UnavailableError(LabError):
    """A reason why a built-in problem cannot be run on this computer, which pages tell, too.

    `words` is the sentence `unavailable.key` in every language; the error's own text is English.
    """

    def __init__(self, key: str, **fields: object) -> None:
        super().__init__(key)
        self.key, self.fields = key, fields

    @property
    def words(self) -> dict[str, str]:
        """Return the reason in every language."""
        return words(f"unavailable.{self.key}", **self.fields)

    def __str__(self) -> str:
        return self.words["en"]

    def __reduce__(self) -> tuple[Callable[[], "UnavailableError"], tuple[()]]:
        # Errors come back from worker processes.
        return partial(type(self), self.key, **self.fields), ()


def require_packages() -> None:
    """Raise `LabError` naming every package of the extra `lab` that is missing."""
    missing = [name for module, name in PACKAGES.items() if find_spec(module) is None]
    if missing:
        # Not `adamas[lab]`: adamas is not on PyPI, and a name that is free may be taken by anybody.
        names = " ".join(missing)
        raise LabError(f"missing {', '.join(missing)}; install with: pip install {names}")

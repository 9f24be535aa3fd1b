"""What the lab needs beyond the core, checked before any import fails halfway."""

from importlib.util import find_spec

from adamas.lab.text import SENTENCES, words
from adamas.pages.told import TranslatedError

# module that is imported -> name to install
PACKAGES = {
    "matplotlib": "matplotlib",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "joblib": "joblib",
    "threadpoolctl": "threadpoolctl",
}


class LabError(TranslatedError):
    """A reason why a job of the lab cannot start, in one sentence that names the cure."""

    SENTENCES = SENTENCES


class UnavailableError(LabError):
    """A reason why a built-in problem cannot be run on this computer, which pages tell, too."""

    @property
    def words(self) -> dict[str, str]:
        """Return the reason, the sentence `unavailable.key`, in every language."""
        return words(f"unavailable.{self.key}", **self.fields)


def require_packages() -> None:
    """Raise `LabError` naming every package of the extra `lab` that is missing."""
    missing = [name for module, name in PACKAGES.items() if find_spec(module) is None]
    if missing:
        # Not `adamas[lab]`: adamas is not on PyPI, and a name that is free may be taken by anybody.
        names = " ".join(missing)
        raise LabError("error.missing", names=", ".join(missing), install=names)

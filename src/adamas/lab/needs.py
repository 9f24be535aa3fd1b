"""What the lab needs beyond the core, checked before any import fails halfway."""

from importlib.util import find_spec

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


def require_packages() -> None:
    """Raise `LabError` naming every package of the extra `lab` that is missing."""
    missing = [name for module, name in PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise LabError(f'missing {", ".join(missing)}; install with: pip install "adamas[lab]"')

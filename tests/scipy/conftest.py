"""The marks of SciPy's own tests, which are imported here."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Make them known: an unknown mark is an error."""
    for name in ("fail_slow", "skip_xp_backends", "xfail_on_32bit", "xfail_xp_backends", "xslow"):
        config.addinivalue_line("markers", f"{name}: of SciPy's own test runner")

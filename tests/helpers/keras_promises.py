"""The promises of `adamas.keras` on one backend: a test file names it `BACKEND` and imports these.

Each backend has a file of its own, so that two of them run side by side.
"""

from pathlib import Path

import pytest

from keras_names import CHECKS, DIFFERENT, go_on, outcomes_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the process of the checks writes."""
    return tmp_path_factory.mktemp("keras")


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, folder: Path) -> dict[str, str]:
    """What failed, by check."""
    return outcomes_of(request.module.BACKEND, folder)


@pytest.mark.parametrize("name", CHECKS)
def test_check(outcomes: dict[str, str], name: str) -> None:
    """Each check keeps the promise that its own docstring is."""
    assert not outcomes[name], outcomes[name]


def test_keras_own_tests_pass(outcomes: dict[str, str]) -> None:
    """The tests of Keras pass with our classes, given its defaults, but for those listed."""
    theirs = {name: text for name, text in outcomes.items() if ": " in name}
    assert len(theirs) == 62
    failed = {name: text for name, text in theirs.items() if text}
    assert set(failed) == set(DIFFERENT), "\n".join(failed.values())
    for name, (_, words) in DIFFERENT.items():
        assert words in failed[name]


def test_another_process_continues_exactly(
    request: pytest.FixtureRequest, outcomes: dict[str, str], folder: Path
) -> None:
    """What one process saves, another loads and continues to the same losses and numbers."""
    assert not outcomes["saved"], outcomes["saved"]
    go_on(request.module.BACKEND, folder)

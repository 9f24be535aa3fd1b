"""The promises of `adamas.keras` on one backend: a test file names it `BACKEND` and imports these.

Each backend has a file of its own, so that two of them run side by side.
"""

from pathlib import Path

import pytest

from keras_names import CHECKS, DIFFERENT, outcomes_of, save_and_go_on


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What failed, by check."""
    backend = request.module.BACKEND
    return outcomes_of(backend, tmp_path_factory.mktemp(backend))


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


def test_another_process_continues_exactly(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """What one process saves, another loads and continues to the same losses and numbers."""
    save_and_go_on(request.module.BACKEND, tmp_path)

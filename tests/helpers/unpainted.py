"""Pages of the lab without their pictures, for tests that look at something else."""

import pytest

from adamas.lab.page import svg
from adamas.lab.report import insight, training

EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'


def leave_out_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every picture be empty: drawing those of both languages is half of a short comparison."""
    for module in (svg, insight, training):
        monkeypatch.setattr(module, "inline", lambda picture: EMPTY)

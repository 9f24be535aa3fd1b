"""The pages that ship are those that the formulas and sentences of today make."""

import re
from collections.abc import Mapping

import numpy as np
import pytest

import write_learn
from adamas.learn.command import FOLDERS
from adamas.pages.sentences import CODES
from learn_pages import SHIPPED, shipped
from places import ROOT

NUMBER = re.compile(r"\d+(?:\.\d+)?")
PAGES = [f"{folder}/{code}.html" for folder in FOLDERS for code in CODES]
AGAIN = "python tools/write_learn.py makes the pages anew"


def parts(page: str) -> tuple[list[str], list[float], list[float]]:
    """Split a page into its text, the numbers outside pictures, and those inside."""
    pieces = re.split(r"(<svg.*?</svg>)", page, flags=re.DOTALL)
    texts = [text for piece in pieces for text in NUMBER.split(piece)]
    outside, inside = (
        [float(n) for p in pieces[at::2] for n in NUMBER.findall(p)] for at in (0, 1)
    )
    return texts, outside, inside


@pytest.fixture(scope="module")
def built() -> Mapping[str, str]:
    """All pages built anew, by name."""
    return write_learn.pages()


@pytest.mark.parametrize("name", PAGES)
def test_current(built: Mapping[str, str], name: str) -> None:
    """Built again, a page says the same: texts to the letter, numbers but for the last bits."""
    texts, outside, inside = parts(shipped(name))
    now, outside_now, inside_now = parts(built[name])
    assert texts == now, AGAIN
    np.testing.assert_allclose(outside, outside_now, rtol=2e-3, atol=1e-9, err_msg=AGAIN)
    # Tenths of a pixel, of pictures some hundred wide.
    np.testing.assert_allclose(inside, inside_now, atol=0.21, err_msg=AGAIN)


@pytest.mark.parametrize("name", PAGES)
def test_documentation_has_the_same(name: str) -> None:
    """What stands in docs/ is what `adamas learn` writes."""
    assert (ROOT / "docs" / name).read_text("utf-8") == shipped(name), AGAIN


def test_nothing_else_ships() -> None:
    """No page lies around that nobody builds."""
    found = {p.relative_to(SHIPPED).as_posix() for p in SHIPPED.rglob("*") if p.is_file()}
    assert found == set(PAGES)

"""What tests do to the playground in Chromium: focus, choose, follow a link, read a value."""

import json
from typing import Any

from browser import Page


def focus(page: Page, selector: str) -> None:
    """Give an element the focus; that Tab reaches it is a check of its own."""
    page.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")


def choose(page: Page, selector: str, value: str) -> None:
    """Choose an option with the arrow keys, from the end of the list that is nearer.

    At each key the page computes all of its runs.
    """
    focus(page, selector)
    options = page.evaluate(
        f"[...document.querySelector({json.dumps(selector)}).options].map(o => o.value)"
    )
    down, up = options.index(value), options[::-1].index(value)
    page.press("Home" if down <= up else "End")
    page.press("ArrowDown" if down <= up else "ArrowUp", times=min(down, up))
    assert page.evaluate(f"document.querySelector({json.dumps(selector)}).value") == value


def go(page: Page, address: str) -> None:
    """Follow a link to a state of this page."""
    page.evaluate(f"location.hash = {json.dumps(address)}")
    page.settle()


def value(page: Page, selector: str) -> Any:
    """The value of a control."""
    return page.evaluate(f"document.querySelector({json.dumps(selector)}).value")

"""What is fixed of an optimizer in Python, as a text and back; and names that are none."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.entrant_base import parts_of
from adamas.lab.foreign.arguments import literal
from adamas.lab.notebook.entering import entered_optimizers
from adamas.lab.notebook.strangers import text_of
from adamas.lab.report.again import handed


class Mine:
    """Stands for an optimizer of somebody's."""

    def __init__(self, params: object, lr: float = 0.1, kind: str = "", deep: int = 0) -> None:
        self.kind, self.deep = kind, deep


@given(st.text(st.characters(codec="ascii"), max_size=9), st.integers(0, 9))
def test_a_word_is_read_as_it_was_given(word: str, deep: int) -> None:
    """A text with blanks, commas or quotes is the same text in a plan and in the page's code."""
    text = text_of(partial(Mine, kind=word, deep=deep))
    pairs = dict(parts_of(f"file.py:{text}")[1])
    assert {name: literal(name, value) for name, value in pairs.items()} == {
        "kind": word,
        "deep": deep,
    }
    made = eval(handed(text).replace("functools.", ""), {"partial": partial, "Mine": Mine})
    assert made.keywords == {"kind": word, "deep": deep}


@pytest.mark.parametrize("wrong", [1, None, b"Adam"])
def test_a_name_that_is_no_text_is_refused(wrong: object) -> None:
    """Names are texts, as keys and beside a list; anything else is a TypeError that shows it."""
    with pytest.raises(TypeError, match="is no name for an optimizer; give a text"):
        entered_optimizers({wrong: "sgd"}, None)  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="is no name for an optimizer; give a text"):
        entered_optimizers(["sgd"], None, {"sgd": wrong})  # type: ignore[dict-item]

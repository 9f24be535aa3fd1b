"""The sentences of the lab are data: the same keys and fields in both languages, each key once."""

import re
from collections import Counter
from string import Formatter

import pytest

from adamas.lab.text import LANGUAGES, SUBJECTS, sentences
from adamas.lab.zoo import CATALOGUE, built_in

# Of a long list English counts the rest and Chinese the whole: both are given.
COUNTED_APART = {"named_some"}


def fields(sentence: str) -> set[str]:
    """Return the names of the fields of a sentence."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_both_languages_ask_for_the_same_numbers(subject: str) -> None:
    """Every sentence exists in both languages, and in no other, with the same fields."""
    for key, both in sentences(subject).items():
        assert sorted(both) == sorted(LANGUAGES), key
        assert key in COUNTED_APART or fields(both["en"]) == fields(both["zh"]), key


def test_a_key_stands_in_one_file() -> None:
    """No file of sentences silently replaces a sentence of another."""
    count = Counter(key for subject in SUBJECTS for key in sentences(subject))
    assert [key for key, times in count.items() if times > 1] == []


def test_sentences_hold_no_measured_number() -> None:
    """Numbers with a decimal point are filled in by the run, never written in a sentence."""
    # What is known of a built-in problem beforehand is not measured by any run.
    known = sentences("problems")
    for table in LANGUAGES.values():
        for key, sentence in table.items():
            # −0.5 is the slope of theory, 2.1 a section; 1.25 and 1.5h are ways of writing.
            plain = re.sub(r"\{.*?\}|−0\.5|2\.1|1\.250?|1\.5h", "", sentence)
            assert key in known or not re.search(r"\d\.\d", plain), key


def test_no_problem_text_is_left_over() -> None:
    """A sentence about a problem that is in the file is one that some problem tells."""
    told = [problem.about for problem in map(built_in, CATALOGUE) if problem.about]
    texts = {w["en"] for one in told for w in (one.title, one.model, one.loss, one.notes) if w}
    texts |= {one.quality.basis["en"] for one in told if one.quality}
    given = {key: both["en"] for key, both in sentences("problems").items()}
    patterns = [
        re.compile(re.sub(r"\\\{.*?\\\}", ".*", re.escape(text)))
        for key, text in given.items()
        if ".metric." not in key
    ]
    assert [p.pattern for p in patterns if not any(map(p.fullmatch, texts))] == []

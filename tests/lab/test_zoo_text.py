"""Language models and sentiment: what the texts are, how they are split, and the targets."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from adamas.lab.data import texts
from adamas.lab.needs import LabError
from adamas.lab.zoo import built_in, language, sentiment
from zoo_baselines import bits_of_ngrams
from zoo_training import train

MODELS = {"char-lm-en": (language.english, 3, 6e-3), "char-lm-zh": (language.chinese, 2, 3e-3)}


def target(name: str) -> float:
    """Return a problem's stated quality."""
    about = built_in(name).about
    assert about is not None and about.quality is not None
    return about.quality.value


def test_the_book_is_alice() -> None:
    """The English text is the whole book: its first and last words, and how often its heroine."""
    book = "".join(texts.alice())
    assert book.startswith("ALICE'S ADVENTURES IN WONDERLAND Lewis Carroll")
    assert book.endswith("THE END")
    assert 380 < book.count("Alice") < 420 and book.isascii()


def test_poems_have_eight_lines_of_one_length() -> None:
    """Each Tang poem has eight lines of five or of seven characters; none comes twice."""
    poems = texts.tang()
    assert len(set(poems)) == len(poems) == 1310
    for poem in poems:
        assert poem.endswith("\n")
        for mark in "。？！；":
            poem = poem.replace(mark, "，")
        assert {len(line) for line in poem[:-2].split("，")} in ({5}, {7})
        assert poem.count("，") == 8


@pytest.mark.parametrize("name", MODELS)
def test_no_text_is_held_out_and_trained_on(name: str) -> None:
    """Every character of the text is told exactly once, in training or in validation."""
    corpus = MODELS[name][0]()
    task = language.LanguageTask(3, corpus)
    held, trained = len(task.validation[1]), len(task.training[1])
    assert held + trained == sum(len(piece) for piece in corpus.pieces)
    assert held / (held + trained) == pytest.approx(language.HELD_OUT, rel=0.1)
    alphabet = corpus.alphabet()
    told = Counter(np.concatenate([task.validation[1], task.training[1]]).tolist())
    assert told == Counter(alphabet.get(char, 0) for char in "".join(corpus.pieces))


@given(st.lists(st.text("abcd", min_size=1, max_size=9), min_size=1, max_size=5), st.integers(1, 4))
def test_windows_spell_the_pieces(pieces: list[str], context: int) -> None:
    """The last characters of the windows spell the text; what goes before is from one piece."""
    alphabet = {"a": 1, "b": 2, "c": 3}
    before, char = language.windows(pieces, alphabet, context)
    assert char.tolist() == [alphabet.get(c, 0) for c in "".join(pieces)]
    row = 0
    for piece in pieces:
        padded = [0] * context + [alphabet.get(c, 0) for c in piece]
        for i in range(len(piece)):
            assert before[row].tolist() == padded[i : i + context]
            row += 1


@pytest.mark.parametrize("name", MODELS)
def test_adam_beats_counting(name: str) -> None:
    """Adam needs fewer bits per character than stated, which is what n-grams need on average."""
    corpus, length, lr = MODELS[name]
    task, params = train(built_in(name), "adam", lr, seed=0)
    assert task.extras(params)["bits_per_character"] < target(name)
    symbols = len(corpus().alphabet()) + 1
    counted = bits_of_ngrams(task.training, task.judged, symbols, length)
    assert counted == pytest.approx(target(name), rel=0.02)


def test_a_guess_costs_the_logarithm_of_the_symbols() -> None:
    """With an output layer of 0 every symbol is equally likely."""
    task = language.LanguageTask(3, language.english())
    blank = {name: np.zeros_like(value) for name, value in task.start().items()}
    symbols = len(language.english().alphabet()) + 1
    assert task.extras(blank)["bits_per_character"] == pytest.approx(np.log2(symbols), rel=1e-5)


@pytest.fixture
def reviews() -> tuple[tuple[str, ...], np.ndarray]:
    """Give the reviews, or skip where the package that ships them is not installed."""
    try:
        return texts.reviews()
    except LabError as reason:
        pytest.skip(str(reason))


def test_reviews_come_once(reviews: tuple[tuple[str, ...], np.ndarray]) -> None:
    """No review, blanks aside, is there twice or under both labels, so no split can leak."""
    written, labels = reviews
    assert len(set(written)) == len(written) == len(labels)
    assert not any(char.isspace() for text in written for char in text)
    assert 0.45 < labels.mean() < 0.55


@given(st.text(max_size=300), st.integers(0, 100))
def test_hashing_knows_characters_and_pairs(text: str, place: int) -> None:
    """A text has a row for each of its first 200 characters and each pair, all in the table.

    The same pair has the same row wherever it stands.
    """
    rows = sentiment.hashed(text)
    length = min(len(text), sentiment.LONGEST)
    assert len(rows) == max(2 * length - 1, 0)
    assert ((rows >= 0) & (rows < sentiment.BUCKETS)).all()
    if length > 1:
        start = place % (length - 1)
        pair = sentiment.hashed(text[start : start + 2])
        assert pair.tolist() == [rows[start], rows[start + 1], rows[length + start]]


def test_sentiment_splits_by_review(reviews: tuple[tuple[str, ...], np.ndarray]) -> None:
    """Each review is trained on or held out, and a bag holds exactly its reviews' rows."""
    written, labels = reviews
    task = sentiment.SentimentTask(3)
    together = np.concatenate([task.held_out, task.training])
    assert sorted(together) == list(range(len(written)))
    rows, starts, found = next(islice(task.batches(), 1))
    assert len(starts) == len(found) == sentiment.BATCH
    chosen = np.array([5, 7])
    rows, starts, found = sentiment.bag(chosen)
    expected = [sentiment.hashed(written[i]) for i in chosen]
    np.testing.assert_array_equal(rows, np.concatenate(expected))
    assert starts.tolist() == [0, len(expected[0])]
    assert found.tolist() == labels[chosen].tolist()


def test_adam_tells_praise_from_blame(reviews: tuple[tuple[str, ...], np.ndarray]) -> None:
    """Adam comes within a point of the stated accuracy, that of scikit-learn's usual pair."""
    task, params = train(built_in("sentiment"), "adam", 1e-2, seed=0)
    assert task.extras(params)["accuracy"] >= target("sentiment")
    written, labels = reviews
    words = TfidfVectorizer(analyzer="char", ngram_range=(1, 2))
    known = words.fit_transform([written[i] for i in task.training])
    held = words.transform([written[i] for i in task.held_out])
    usual = LogisticRegression(max_iter=300).fit(known, labels[task.training])
    found = usual.score(held, labels[task.held_out])
    assert found == pytest.approx(target("sentiment"), abs=0.02)

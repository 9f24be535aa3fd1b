"""What foreign code prints and warns of is not shown, and the random numbers of others are kept."""

import contextlib
import io
import logging
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

V = TypeVar("V")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing is printed, logged or warned of inside, and generators go on as before after it."""
    torch = sys.modules.get("torch")
    python, numpy = random.getstate(), np.random.get_state()
    kept = torch.get_rng_state() if torch else None
    level = logging.root.manager.disable
    streams = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with warnings.catch_warnings(action="ignore"), streams[0], streams[1]:
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(level)
            random.setstate(python)
            np.random.set_state(numpy)
            if torch:
                torch.set_rng_state(kept)


def seeded() -> None:
    """Begin the generators of Python, NumPy and torch anew."""
    random.seed(0)
    np.random.seed(0)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(0)


def said(error: BaseException, most: int = 200) -> str:
    """An error of somebody else's in one line: its kind and its words."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:most]


def attempt(ask: Callable[[], V]) -> tuple[V | None, str]:
    """What a function returns, or None and what it raised."""
    try:
        return ask(), ""
    except Exception as error:
        return None, said(error)

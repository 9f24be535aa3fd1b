"""What `adamas.convert` says of its arguments, as the command says it of its options."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from shlex import quote

from adamas.homes.writers import End

# What adamas.convert says of the rule that a refused target should have.
GOES_ON = re.compile(r"The rule \S+ goes on exactly")
# How it speaks of arguments, and how the command does.
FLAGS = {
    'dialect="ignore"': "--ignore",
    "^names= (?=has|gives|turns)": "--names ",
    "give names= a dict or a function from": "give --names, from",
    r"names=\{\.\.\.: \((.*), np\.transpose\)\}": r'--names {"...": [\1, "T"]}',
}


@contextmanager
def said_as_flags(exact: Callable[[], End]) -> Iterator[None]:
    """Put the options of the command into what is refused; `exact` finds what would go on."""
    try:
        yield
    except ValueError as error:
        told = str(error)
        for words, flags in FLAGS.items():
            told = re.sub(words, flags, told)
        with suppress(ValueError):
            flag = f"--to {quote(text_of(exact()))} goes on exactly"
            told = GOES_ON.sub(lambda _: flag, told)
        raise ValueError(told) from error


def text_of(end: End) -> str:
    """An end as its users write it, with its arguments."""
    given = ", ".join(f"{key}={value!r}" for key, value in end.given.items())
    return f"{end.title}({given})" if end.whole else end.title

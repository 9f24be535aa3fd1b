"""What `--fail-if-worse` would say of the comparisons in a file, and how many seeds they took."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adamas.lab.statistics.limits import beyond

# Of equals either answer is wrong at 0; the planted one is far worse than 2 %.
LIMITS = {"alike": 0.0, "planted": 0.02}


def statuses(path: Path, share: Callable[[int, int], str]) -> str:
    """Return a table as Markdown, of the comparisons whose losses are in the file."""
    head = "| mode | pair | comparisons | seeds, mean | worse, % | not worse, % | undecided, % |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        tree = json.loads(line)
        if "finals" in tree:
            rows.setdefault((tree["case"][1], tree["case"][2]), []).append(tree)
    for (mode, pair), trees in sorted(rows.items()):
        said = Counter(standing(tree, LIMITS[pair]) for tree in trees)
        seeds = sum(len(tree["finals"][0]) for tree in trees) / len(trees)
        shares = (share(said[word], len(trees)) for word in ("worse", "not", "open"))
        lines.append(
            "| " + " | ".join((mode, pair, str(len(trees)), f"{seeds:.0f}", *shares)) + " |"
        )
    return "\n".join(lines)


def standing(tree: dict[str, Any], limit: float) -> str:
    """Return how the first of a pair stands to the second."""
    ours, theirs = tree["finals"]
    return beyond({"ours": ours, "theirs": theirs}, "theirs", limit, tree["spent"])["ours"]

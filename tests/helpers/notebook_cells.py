"""Run the code cells of a notebook in order, in this process: no Jupyter takes part.

Before each cell with the tag "check" it is run on a spoiled answer, and has to object. Printed are
the names of the answers, which are those that the cell "yours" sets to `...`.
"""

import json
import pickle
import re
import sys
from pathlib import Path
from typing import Any


def spoiled(answer: Any) -> Any:
    """An answer that is wrong: numbers are a hundredth of what they should be."""
    if hasattr(answer, "axes"):
        figure = pickle.loads(pickle.dumps(answer))
        for line in (line for axes in figure.axes for line in axes.lines):
            line.set_ydata(line.get_ydata() / 100)
        return figure
    if isinstance(answer, tuple):
        return (spoiled(answer[0]), *answer[1:])
    return (lambda *a: spoiled(answer(*a))) if callable(answer) else answer / 100


def objects(check: str, names: dict[str, Any]) -> bool:
    """Whether a check fails with these names."""
    try:
        exec(check, dict(names))
    except AssertionError:
        return True
    return False


def main(path: str) -> None:
    """Run all of it."""
    names: dict[str, Any] = {"__name__": "__main__"}
    answers: list[str] = []
    for cell in json.loads(Path(path).read_text("utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        code, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
        if "yours" in tags:
            answers += re.findall(r"^(\w+) = \.\.\.$", code, re.M)
        if "check" in tags:
            assert objects(code, names | {answers[-1]: spoiled(names[answers[-1]])}), answers[-1]
        exec(compile(code, cell["id"], "exec"), names)
    print(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1])

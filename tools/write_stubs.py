"""Write `src/adamas/classes.pyi` from the rules; `--check` only says whether it is up to date."""

import inspect
import sys
from pathlib import Path

from adamas.classes import CLASSES, hypers

TARGET = Path(__file__).parents[1] / "src" / "adamas" / "classes.pyi"

HEAD = '''"""Written by tools/write_stubs.py from adamas.rules; edits here are lost."""

from collections.abc import Callable
from typing import Any, Unpack

from adamas.engine.optimizer import Optimizer, Options
from adamas.engine.settings import Hyper

CLASSES: dict[str, Callable[..., Any]]

def hypers(rule: Callable[..., Any]) -> dict[str, float]: ...
'''


def text() -> str:
    """The stub as it should be."""
    parts = [HEAD]
    for name, rule in CLASSES.items():
        first = inspect.cleandoc(rule.__doc__ or "").splitlines()[0]
        arguments = ["self", "params: Any"]
        for hyper, default in hypers(rule).items():
            arguments.append(f"{hyper}: Hyper = {default!r}")
            if hyper == "lr":
                arguments.append("*")
        if arguments[-1] == "*":
            arguments.pop()
        arguments.append("**options: Unpack[Options]")
        listed = "".join(f"        {argument},\n" for argument in arguments)
        shown = f'    """{first}"""'
        noqa = "  # noqa: E501" if len(shown) > 100 else ""
        parts.append(
            f"class {name}(Optimizer):\n{shown}{noqa}\n\n"
            f"    def __init__(\n{listed}    ) -> None: ...\n"
        )
    return "\n".join(parts)


def main() -> int:
    """Write or check; exit code 1 says that the stub is out of date."""
    if "--check" in sys.argv[1:]:
        current = TARGET.exists() and TARGET.read_text() == text()
        if not current:
            print(f"{TARGET.name} is out of date; run python tools/write_stubs.py")
        return 0 if current else 1
    TARGET.write_text(text())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

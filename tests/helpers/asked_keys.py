"""Which sentences a module asks for, read from its source."""

import ast
import re
from collections.abc import Iterator


def asked(source: str) -> Iterator[str]:
    """Yield a pattern for every key that a module may ask for."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.escape(node.value)
        elif isinstance(node, ast.JoinedStr):
            known = [p.value if isinstance(p, ast.Constant) else None for p in node.values]
            # A pattern without a word of its own would ask for everything.
            if any(part and re.search("[a-z]{2}", str(part)) for part in known):
                yield "".join(".+" if part is None else re.escape(str(part)) for part in known)

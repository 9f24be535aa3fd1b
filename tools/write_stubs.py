"""Write the stubs of the classes from the rules; `--check` only says whether they are current."""

import ast
import inspect
import sys
import textwrap
from pathlib import Path

from adamas.classes import CLASSES, hypers
from adamas.engine.options import OPTIONS, Configured
from adamas.torch.classes import SIGNATURES, constructor

PACKAGE = Path(__file__).parents[1] / "src" / "adamas"
TARGET, TORCH_TARGET = PACKAGE / "classes.pyi", PACKAGE / "torch" / "classes.pyi"

HEAD = '''"""Written by tools/write_stubs.py from adamas.rules; edits here are lost."""

from collections.abc import Callable
from typing import Any, Literal, TypedDict, Unpack

from adamas.engine.optimizer import Optimizer
from adamas.engine.options import OnNonFinite
from adamas.engine.settings import Hyper
from adamas.engine.storage import Spec

CLASSES: dict[str, Callable[..., Any]]

def hypers(rule: Callable[..., Any]) -> dict[str, float]: ...
'''


def options() -> str:
    """The options with the types that the constructor's signature gives them."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(Configured.__init__))).body
    assert isinstance(tree, ast.FunctionDef)
    types = {
        a.arg: ast.unparse(a.annotation).replace("'", '"')
        for a in tree.args.kwonlyargs
        if a.annotation
    }
    lines = [f"    {name}: {types[name]}\n" for name in OPTIONS]
    return "class Options(TypedDict, total=False):\n" + "".join(lines)


def text() -> str:
    """The stub as it should be."""
    parts = [HEAD, options()]
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


TORCH = '''"""Written by tools/write_stubs.py from adamas.homes.torch; edits here are lost."""

import inspect
from collections.abc import Callable
from typing import Any

from adamas.homes.signature import Signature
from adamas.torch.base import Optimizer

SIGNATURES: dict[str, Signature]

def constructor(signature: Signature) -> inspect.Signature: ...
def make(signature: Signature, module: str) -> type[Optimizer]: ...
def optimizer(rule: Callable[..., Any]) -> type[Optimizer]: ...
'''


def torch_text() -> str:
    """The stub of `adamas.torch.classes`."""
    parts = [TORCH]
    for name, signature in SIGNATURES.items():
        first = inspect.cleandoc(signature.doc).splitlines()[0]
        arguments, starred = ["self", "params: Any"], False
        for argument in list(constructor(signature).parameters.values())[2:]:
            if argument.kind is argument.KEYWORD_ONLY and not starred:
                arguments.append("*")
                starred = True
            arguments.append(f"{argument.name}: Any = {argument.default!r}".replace("'", '"'))
        listed = "".join(f"        {argument},\n" for argument in arguments)
        shown = f'    """{first}"""'
        noqa = "  # noqa: E501" if len(shown) > 100 else ""
        head = f"class {name}(Optimizer):\n{shown}{noqa}\n\n"
        parts.append(f"{head}    def __init__(\n{listed}    ) -> None: ...\n")
    return "\n".join(parts)


def main() -> int:
    """Write or check; exit code 1 says that the stub is out of date."""
    targets = {TARGET: text, TORCH_TARGET: torch_text}
    if "--check" in sys.argv[1:]:
        old = [file for file, make in targets.items() if file.read_text() != make()]
        for file in old:
            print(f"{file.name} is out of date; run python tools/write_stubs.py")
        return 1 if old else 0
    for file, make in targets.items():
        file.write_text(make())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

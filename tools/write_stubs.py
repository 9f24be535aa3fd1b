"""Write the stubs of the classes from the rules; `--check` only says whether they are current."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import adamas.torch
from adamas.classes import CLASSES, hypers
from adamas.engine.options import OPTIONS, Configured
from adamas.homes import keras
from adamas.homes.signature import Signature
from adamas.torch.classes import SIGNATURES

PACKAGE = Path(__file__).parents[1] / "src" / "adamas"
TARGET, TORCH_TARGET = PACKAGE / "classes.pyi", PACKAGE / "torch" / "classes.pyi"
KERAS_TARGET = PACKAGE / "keras" / "classes.pyi"

HEAD = '''"""Written by tools/write_stubs.py from adamas.rules; edits here are lost."""

import os
from collections.abc import Callable, Mapping
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

def constructor(signature: Signature, routed: bool = False) -> inspect.Signature: ...
def make(signature: Signature, module: str, *, strict: bool = True) -> type[Optimizer]: ...
def optimizer(rule: Callable[..., Any]) -> type[Optimizer]: ...
'''


KERAS = '''"""Written by tools/write_stubs.py from adamas.homes.keras; edits here are lost."""

from typing import Any

from adamas.homes.signature import Signature
from adamas.keras.optimizer import Optimizer

def make(signature: Signature, module: str) -> type[Optimizer]: ...
def optimizer(rule: Any) -> type[Optimizer]: ...
'''


def of_signatures(
    head: str,
    begin: list[str],
    signatures: Mapping[str, Signature],
    made: Callable[[Signature], inspect.Signature],
) -> str:
    """The stub of a face's classes, whose constructors begin with these arguments."""
    parts = [head]
    for name, signature in signatures.items():
        first = inspect.cleandoc(signature.doc).splitlines()[0]
        arguments, starred = [*begin], False
        for argument in list(made(signature).parameters.values())[len(begin) :]:
            if argument.kind is argument.KEYWORD_ONLY and not starred:
                arguments.append("*")
                starred = True
            arguments.append(f"{argument.name}: Any = {argument.default!r}".replace("'", '"'))
        listed = "".join(f"        {argument},\n" for argument in arguments)
        shown = f'    """{first}"""'
        noqa = "  # noqa: E501" if len(shown) > 100 else ""
        opened = f"class {name}(Optimizer):\n{shown}{noqa}\n\n"
        parts.append(f"{opened}    def __init__(\n{listed}    ) -> None: ...\n")
    return "\n".join(parts)


def torch_text() -> str:
    """The stub of `adamas.torch.classes`."""
    return of_signatures(TORCH, ["self", "params: Any"], SIGNATURES, _taken)


def _taken(signature: Signature) -> inspect.Signature:
    """What the class itself takes: those of rules for matrices have more."""
    return inspect.signature(getattr(adamas.torch, signature.name).__init__)


def keras_text() -> str:
    """The stub of `adamas.keras.classes`, made without Keras."""
    return of_signatures(KERAS, ["self"], keras.SIGNATURES, keras.constructor)


def main() -> int:
    """Write or check; exit code 1 says that the stub is out of date."""
    targets = {TARGET: text, TORCH_TARGET: torch_text, KERAS_TARGET: keras_text}
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

"""Write docs/api.md and docs/api/*.md from the public names; `--check` only says if they are so.

A public name is one of a module's `__all__`. Signatures are shown as they are written; those that
are made at run time, such as a class of each rule, as Python reports them. The files need torch,
JAX, optax, Keras, SciPy and the lab installed.
"""

import ast
import importlib
import inspect
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from adamas import rules
from adamas.classes import CLASSES
from adamas.engine.options import formula_of
from adamas.learn.text import Say
from adamas.learn.typeset import latex

ROOT = Path(__file__).parents[1]
DOCS, SOURCE = ROOT / "docs", ROOT / "src"
MODULES = {
    "adamas": "optimizers for NumPy arrays, and what all homes share",
    "adamas.torch": "in place of `torch.optim`",
    "adamas.jax": "in place of `optax`",
    "adamas.keras": "in place of `keras.optimizers`",
    "adamas.scipy": "methods of `scipy.optimize.minimize`",
    "adamas.lab": "comparisons of optimizers",
    "adamas.check": "which formula an optimizer computes",
    "adamas.words": "what a rule may say",
    "adamas.schedule": "hyper-parameters as functions of the step",
    "adamas.rules": "the formulas",
}
HEAD = "<!-- Written by tools/write_api.py; edits here are lost. -->\n"
RULES = {**CLASSES, **{name: getattr(rules, name) for name in rules.__all__}}
# Keras has its own spelling beside ours.
RULES["Nadam"] = RULES["NAdam"]


def page_of(module: str) -> str:
    """The file of a module, below docs/."""
    return f"api/{module.removeprefix('adamas.')}.md"


def kind(thing: Any) -> str:
    """What stands before a name in its heading."""
    return "class" if inspect.isclass(thing) else "module" if inspect.ismodule(thing) else ""


def heading(name: str, thing: Any) -> str:
    """The heading of a name."""
    return f"{kind(thing)} `{name}`".strip()


def anchor(head: str) -> str:
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-")


def names(module: ModuleType) -> dict[str, Any]:
    """The public names of a module."""
    return {name: getattr(module, name) for name in module.__all__}


def signature(name: str, thing: Any) -> str:
    """A call of it: as it is written, or as Python knows it where it is made at run time."""
    function = inspect.unwrap(thing.__init__ if inspect.isclass(thing) else thing)
    written = _written(function) if not hasattr(function, "__signature__") else None
    if written is None or (inspect.isclass(thing) and "__init__" not in vars(thing)):
        try:
            found = inspect.signature(thing)
        except ValueError:
            return f"{name}(message)"
        bare = [p.replace(annotation=p.empty) for p in found.parameters.values()]
        shown, returns = str(inspect.Signature(bare))[1:-1], ""
    else:
        arguments = written.args
        if inspect.isclass(thing):
            (arguments.posonlyargs or arguments.args).pop(0)
        shown = ast.unparse(arguments)
        returned = written.returns if not inspect.isclass(thing) else None
        returns = f" -> {ast.unparse(returned)}" if returned else ""
    # Quotes of a type that is not there at run time say nothing to a reader.
    text = re.sub(r"(?<=[:>] )'([\w\[\], .|\"]+)'", r"\1", f"{name}({shown}){returns}")
    return text if len(text) <= 96 else _broken(name, text)


def _written(function: Any) -> ast.FunctionDef | None:
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    return tree if isinstance(tree, ast.FunctionDef) else None


def _broken(name: str, text: str) -> str:
    """A long call with a line for each argument."""
    parts, depth, begin = [], 0, len(name) + 1
    for k, letter in enumerate(text[begin:], begin):
        depth += (letter in "([{") - (letter in ")]}")
        if (letter == "," and depth == 0) or depth < 0:
            parts.append(text[begin:k].strip())
            begin = k + 1
        if depth < 0:
            return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + text[k:]
    return text


def prose(doc: str) -> str:
    """A docstring as Markdown: what is no code keeps its stars, and examples stand in blocks."""
    blocks = []
    for block in doc.split("\n\n"):
        if block.startswith(">>>"):
            blocks.append(f"```pycon\n{block}\n```")
        elif block.startswith("    "):
            blocks.append(f"```text\n{textwrap.dedent(block)}\n```")
        else:
            parts = re.split(r"(`[^`]*`)", block)
            plain = [p if k % 2 else re.sub(r"[*<]", r"\\\g<0>", p) for k, p in enumerate(parts)]
            blocks.append("".join(plain))
    return "\n\n".join(blocks)


def source(thing: Any) -> str:
    """A link to the file in which something is written, from docs/api/."""
    found = inspect.unwrap(thing)
    if inspect.isclass(found) and hasattr(found.__init__, "__signature__"):
        found = found.__init__
    file = Path(inspect.getsourcefile(found) or "").resolve()
    path = file.relative_to(SOURCE)
    return f"[{path}](../../src/{path})"


def members(thing: Any) -> Iterator[tuple[str, Any]]:
    """What a class of adamas has by name, from itself or another class of adamas."""
    ours = [c for c in thing.__mro__ if c.__module__.startswith("adamas")]
    found: dict[str, Any] = {}
    for one in reversed(ours):
        found |= {k: v for k, v in vars(one).items() if not k.startswith("_")}
    for name, value in found.items():
        plain = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if (callable(plain) or isinstance(plain, property)) and inspect.getdoc(plain):
            yield name, plain


def rest(name: str, thing: Any) -> str:
    """What a class or function of a rule says after the rule's own words, without its name."""
    own, doc = inspect.cleandoc(RULES[name].__doc__ or ""), inspect.getdoc(thing) or ""
    assert doc.startswith(own), f"{name} does not begin with the words of its rule"
    text = doc.removeprefix(own).strip()
    return re.sub(rf"\b({name}|{RULES[name].__name__})\b", "NAME", text)


def entry(name: str, thing: Any, said: str | None = None) -> list[str]:
    """The lines about one name; `said` is what is not said again."""
    head, doc = heading(name, thing), inspect.getdoc(thing) or ""
    lines = [f"### {head}", ""]
    if inspect.ismodule(thing):
        return [*lines, f"[{thing.__name__}]({Path(page_of(thing.__name__)).name})", ""]
    lines += ["```text", signature(name, thing), "```", ""]
    if name in RULES and said is not None:
        rule = RULES[name].__name__
        first, _, more = doc.partition("\n")
        same = rest(name, thing) == said
        lines += [f"{prose(first)} [The rule](rules.md#{rule}).", ""]
        lines += [] if same else [prose(more.strip()), ""]
    else:
        lines += [prose(doc), ""]
    if name in rules.__all__ and thing is RULES[name]:
        lines += ["$$", latex(formula_of(thing), Say("en")), "$$", ""]
        lines += [f"[In the catalogue](../rules/en.html#{name}), with its costs and relations.", ""]
    for member, value in members(thing) if inspect.isclass(thing) and name not in RULES else ():
        full = f"{name}.{member}"
        call = "" if isinstance(value, property) else _bound(signature(full, value))
        lines += ["```text", call, "```", ""] if call else [f"**`{full}`**", ""]
        lines += [prose(inspect.getdoc(value) or ""), ""]
    return [*lines, f"Source: {source(thing)}", ""]


def _bound(call: str) -> str:
    """A method's call as it is made, without the object itself."""
    return re.sub(r"\((\s*)(?:self|cls),?\s*", r"(\1", call, count=1)


def page(name: str) -> str:
    """The page of a module."""
    module = importlib.import_module(name)
    every = names(module)
    ruled = {k: v for k, v in every.items() if k in RULES and module is not rules}
    others = {k: v for k, v in every.items() if k not in ruled}
    groups = {"Rules": ruled, "Besides" if ruled else "Contents": others}
    lines = [HEAD, f"# `{name}`", "", f"[All modules](../api.md): {MODULES[name]}.", ""]
    lines += [prose(inspect.getdoc(module) or ""), ""]
    groups = {title: group for title, group in groups.items() if group}
    for title, group in groups.items():
        links = [f"[`{k}`](#{anchor(heading(k, v))})" for k, v in group.items()]
        lines += [f"{title}: {', '.join(links)}", ""]
    for title, group in groups.items():
        lines += [f"## {title}", ""]
        said = None
        if title == "Rules":
            said = max(texts := [rest(k, v) for k, v in group.items()], key=texts.count)
            lines += ["Of each of them, NAME being its rule or itself:", "", prose(said), ""]
        for key, thing in group.items():
            lines += entry(key, thing, said)
    return "\n".join(lines).rstrip() + "\n"


def contents() -> str:
    """The page that lists all modules with their names."""
    lines = [HEAD, "# Every public name", ""]
    lines += [
        "Signatures, docstrings and files of all that is public, made from the source. How things",
        "are used is on the [other pages](../README.md); each rule's formula, costs and relations",
        "are in the rule catalogue, `docs/rules/en.html`.",
        "",
    ]
    for module, what in MODULES.items():
        every = names(importlib.import_module(module))
        links = [
            f"[`{name}`]({page_of(module)}#{anchor(heading(name, thing))})"
            for name, thing in every.items()
        ]
        lines += [f"## [`{module}`]({page_of(module)})", "", f"{what[0].upper()}{what[1:]}."]
        lines += ["", f"{', '.join(links)}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def pages() -> dict[str, str]:
    """The text of every page by its path below docs/."""
    return {"api.md": contents(), **{page_of(name): page(name) for name in MODULES}}


def main(write: Callable[[Path, str], object] = Path.write_text) -> int:
    """Write or check; exit code 1 says that a page is out of date, or one too many."""
    found = {DOCS / name: text for name, text in pages().items()}
    old = [f for f, text in found.items() if not f.exists() or f.read_text("utf-8") != text]
    extra = [file for file in (DOCS / "api").glob("*.md") if file not in found]
    if "--check" not in sys.argv[1:]:
        (DOCS / "api").mkdir(exist_ok=True)
        for file in old:
            write(file, found[file])
        for file in extra:
            file.unlink()
        return 0
    for file in (*old, *extra):
        print(f"{file.relative_to(ROOT)} is out of date; run python tools/write_api.py")
    return 1 if old or extra else 0


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "torch")
    raise SystemExit(main())

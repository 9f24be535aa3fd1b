"""What `adamas.convert` refuses is said in Chinese by the command, whatever it refuses."""

import ast
import re
from collections.abc import Iterator

import pytest

from adamas.cli_text.core_words import known
from adamas.homes.continuing import _refusal
from adamas.homes.neutral import Group
from adamas.others.flags import FLAGS
from places import PACKAGE

FILES = (
    "bitsandbytes", "continuing", "conversion", "factored", "few_bits", "filed_trees",
    "keras_filed", "neutral", "of_adamas", "of_keras", "of_optax", "of_torch", "trees", "writers",
)  # fmt: skip
# What no file and no option brings about: objects of Python in their places, and sentences that
# stand in others.
NOT_MET = (
    "dialect=", "names= is a dict", "names= gives X for", "is read only", "as a target is the",
    "the structure of an optax state", "is no optimizer of", "knows which of its variables",
    "homes split complex", "and the optimizer computes", "all go on as if",
    "of adamas' rules: X", "X: X",
)  # fmt: skip


def texts(node: ast.expr) -> Iterator[str]:
    """What an expression of texts says, with X for whatever is filled in, in all its branches."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        found = [""]
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            filled = list(texts(inner)) if isinstance(inner, ast.Constant | ast.IfExp) else ["X"]
            found = [before + one for before in found for one in filled]
        yield from found


def raised(name: str) -> list[str]:
    """The sentences that a module raises, or warns of."""
    tree = ast.parse((PACKAGE / "homes" / f"{name}.py").read_text("utf-8"))
    calls = (n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.args)
    ways = ("ValueError", "TypeError", "warnings.warn")
    found = [said for c in calls if ast.unparse(c.func) in ways for said in texts(c.args[0])]
    return [one for one in found if not any(part in one for part in NOT_MET)]


def chinese(said: str) -> str:
    """What the command says of it, as an error that names a file."""
    for words, flags in FLAGS.items():
        said = re.sub(words, flags, said)
    return known(f"'f': {said.rstrip('.')}.")["zh"]


@pytest.mark.parametrize("name", FILES)
def test_every_refusal_is_known(name: str) -> None:
    """A sentence that is raised, with anything in its fields, has a form in Chinese."""
    for said in raised(name):
        told = known(said)["zh"] if "go on" in said or "not converted" in said else ""
        assert re.search("[\u4e00-\u9fff]{3}", chinese(said) + told), said


@pytest.mark.parametrize("related", [True, False])
@pytest.mark.parametrize("rule", ["nadam", "mine@12345678"])
def test_who_goes_on_is_said_in_chinese(rule: str, related: bool) -> None:
    """The refusal of another rule, and which class goes on, with its flags."""
    one, other = Group([], rule, {}, "torch.NAdam"), Group([], "adamw", {}, "torch.AdamW")
    said = chinese(_refusal(one, other, related))
    assert "接不上" in said and ("--ignore" in said) == related
    assert not re.search(r"it computes|goes on|or say|numbers mean", said), said


def test_numbers_that_differ_are_listed() -> None:
    """A warning of several numbers has each of them in Chinese."""
    said = (
        "the target goes on with lr=0.1 (the source has 0.2), eps=1e-08 (the source has 1e-07); "
        "make it with the same numbers to go on exactly."
    )
    assert known(said)["zh"].count("来源是") == 2 and "source" not in known(said)["zh"]
    assert known(said)["en"] == said

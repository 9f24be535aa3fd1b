"""The rules keep to the formula language, so that one text runs in every machine.

The compiler has its own tests; this is the language as a list of syntax nodes, checked without it.
"""

import ast
import inspect
import itertools
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from adamas import rules, words
from foreign import hypers_of, states_of, step

FILES = sorted(Path(inspect.getfile(rules)).parent.glob("*.py"))
TREES = {file.stem: ast.parse(file.read_text("utf-8")) for file in FILES}
NODES_OF_FILES = [node for tree in TREES.values() for node in tree.body]
FUNCTIONS = {node.name: node for node in NODES_OF_FILES if isinstance(node, ast.FunctionDef)}
# What an expression may be made of; names and calls are looked at one by one.
NODES = (
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.UnaryOp, ast.USub),
    *(ast.Compare, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.IfExp),
    *(ast.Call, ast.keyword, ast.Constant, ast.Name, ast.Load),
)
every_rule = pytest.mark.parametrize("name", rules.__all__)


def names_in(node: ast.AST) -> set[str]:
    """List the names an expression reads, without those of words."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return found - set(words.__all__)


def assignments(name: str) -> list[ast.Assign]:
    """Return the assignments of a rule, which are all between its docstring and its return."""
    return [node for node in FUNCTIONS[name].body[1:-1] if isinstance(node, ast.Assign)]


def target(node: ast.Assign) -> str:
    """Name what an assignment assigns."""
    (left,) = node.targets
    assert isinstance(left, ast.Name)
    return left.id


def elementwise(name: str) -> set[str]:
    """List what a rule computes for each element: all that depends on p or g, through any step."""
    found = {"p", "g"}
    for _ in assignments(name):
        found |= {target(a) for a in assignments(name) if names_in(a.value) & found}
    return found


def test_rules_import_only_words() -> None:
    """A rule may use the words, and no file of rules imports anything else."""
    trees = [tree for stem, tree in TREES.items() if stem != "__init__"]
    nodes = [n for tree in trees for n in ast.walk(tree)]
    found = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    assert {getattr(n, "module", None) for n in found} == {"adamas.words"}


def test_every_function_is_a_rule_in_order() -> None:
    """Every function is a listed rule, in the order of its file; only readers of averages are not.

    The list itself goes from simple to involved, whatever file a rule stands in.
    """
    readers = {average.__name__ for average in rules.AVERAGES.values()}
    for stem, tree in TREES.items():
        written = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        here = [name for name in written if name not in readers]
        assert here == [name for name in rules.__all__ if name in here], stem
    assert {*FUNCTIONS} == {*rules.__all__, *readers}


@every_rule
def test_the_signature_declares_p_g_states_and_hypers(name: str) -> None:
    """Parameter and gradient come first, then states; each hyper-parameter has a value."""
    node = FUNCTIONS[name]
    assert not (node.decorator_list or node.args.vararg or node.args.kwarg or node.args.posonlyargs)
    assert [a.arg for a in node.args.args] == ["p", "g", *states_of(getattr(rules, name))]
    given = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    assert {a.arg for a, default in given if default is None} <= {"t", "rows", "columns"}
    assert all(isinstance(v, int | float) for v in hypers_of(getattr(rules, name)).values())


@every_rule
def test_the_body_is_assignments_and_one_return(name: str) -> None:
    """A body is a docstring, assignments of one name from known names, and the return."""
    node = FUNCTIONS[name]
    assert ast.get_docstring(node)
    assert len(assignments(name)) == len(node.body) - 2
    states = list(states_of(getattr(rules, name)))
    known = {"p", "g", *states, *(a.arg for a in node.args.kwonlyargs)}
    used: set[str] = set()
    for line in assignments(name):
        assert names_in(line.value) <= known, ast.unparse(line)
        assert all(isinstance(n, NODES) for n in ast.walk(line.value)), ast.unparse(line)
        calls = [n for n in ast.walk(line.value) if isinstance(n, ast.Call)]
        assert all(ast.unparse(n.func) in words.__all__ for n in calls)
        assert all(one.arg == "over" for n in calls for one in n.keywords)
        used |= names_in(line.value)
        known.add(target(line))
    assert {"p", "g", *states, *(a.arg for a in node.args.kwonlyargs)} <= used
    last = node.body[-1]
    assert isinstance(last, ast.Return)
    assert last.value is not None
    assert ast.unparse(last.value).strip("()") == ", ".join(["p", *states])


@every_rule
def test_a_choice_depends_on_scalars_alone(name: str) -> None:
    """`a if c else b` chooses once a tensor; `where` chooses for each element."""
    for line in assignments(name):
        choices = [n for n in ast.walk(line.value) if isinstance(n, ast.IfExp)]
        assert not any(names_in(n.test) & elementwise(name) for n in choices), ast.unparse(line)


def test_scalar_states() -> None:
    """Of four rules, states are one number a tensor, since p and g never enter them."""
    scalar = {n: set(states_of(getattr(rules, n))) - elementwise(n) for n in rules.__all__}
    assert {n: s for n, s in scalar.items() if s} == {
        "nadam": {"mu_product"},
        "adamc": {"lr_max"},
        **{rule.__name__: {"lr_max", "weight_sum"} for rule in rules.AVERAGES},
    }


class Eager(ast.NodeTransformer):
    """Turn every `a if c else b` into a call, which evaluates both."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.Call:
        """Replace one choice, and those inside it."""
        self.generic_visit(node)
        return ast.Call(ast.Name("choose", ast.Load()), [node.test, node.body, node.orelse], [])


def eager(name: str) -> Any:
    """Compile a rule so that both sides of each choice run, as in a compiled prologue."""
    tree = Eager().visit(ast.parse(inspect.getsource(getattr(rules, name))))
    space = {w: getattr(words, w) for w in words.__all__}
    space["choose"] = lambda condition, a, b: a if condition else b
    exec(compile(ast.fix_missing_locations(tree), name, "exec"), space)
    return space[name]


EDGES = {
    "lr": (0.0, 1.0),
    "beta": (0.0, 0.999),
    "beta1": (0.0, 0.9),
    # At 0.6 RAdam's longest average is 4 steps, where its variance has a pole.
    "beta2": (0.0, 0.5, 0.6, 0.9999999),
    "beta3": (0.0, 0.9999),
    "weight_decay": (0.0, 1.0),
    "alpha_warmup": (0, 1, 100),
    "beta3_warmup": (0, 1, 100),
    "weight_lr_power": (0.0, 2.0),
    "max_lr": (0.0, 0.5),
    "b": (0.0, 1.0),
    "gamma": (0.0, 1.0),
    "trust_coefficient": (0.0, 1.0),
    "beta2_decay": (-1.0, -0.5),
    "d": (0.5, 2.0),
    "d_coef": (0.5, 2.0),
}


@every_rule
def test_no_edge_of_the_hyper_parameters_warns(name: str) -> None:
    """No scalar divides by 0 or takes a root of a negative number, chosen or not, early or late."""
    rule = eager(name)
    own = {k: EDGES[k] for k in hypers_of(getattr(rules, name)) if k in EDGES}
    before = {"p": np.array([0.5, -2.0]), **states_of(getattr(rules, name))}
    g = np.array([0.0, 1e-3])
    for values in itertools.product(*own.values()):
        for t in (1, 2, 5, 6, 99, 100, 101, 10**8):
            after = step(rule, t, g, before, dict(zip(own, values, strict=True)))
            assert all(np.isfinite(v).all() for v in after.values()), (values, t)


@every_rule
def test_a_rule_runs_on_floats_too(name: str) -> None:
    """On Python floats a rule gives a number, the one that an array of one element holds."""
    rule = getattr(rules, name)
    number: dict[str, Any] = {"p": 0.5, **states_of(rule)}
    array: dict[str, Any] = {"p": np.array([0.5]), **states_of(rule)}
    for t, g in enumerate((0.3, -0.2, 0.1), start=1):
        number = step(rule, t, cast(Any, g), number, {})
        array = step(rule, t, np.array([g]), array, {})
        assert all(isinstance(v, float) for v in number.values())
        assert number == {k: pytest.approx(np.ravel(v)[0], rel=1e-15) for k, v in array.items()}

"""An underscored name stays where it was made: on its floor, and in its module.

`self._x` may be defined anywhere in the same folder of `adamas`, because classes there are put
together from several modules; `other._x` must be defined in the same module. What belongs to a
package from outside is listed below, each with its reason.
"""

import ast
from collections.abc import Iterator

import pytest

from import_reader import sources
from places import PACKAGE, ROOT

# Underscored names of other packages that have no public one, by the module that asks for them.
FOREIGN = {
    # Hooks that torch keeps for its own optimizers, and whether anybody watches a step.
    "torch.base": {
        "_global_optimizer_post_hooks",
        "_global_optimizer_pre_hooks",
        "_is_profiler_enabled",
        "_optimizer_load_state_dict_post_hooks",
        "_optimizer_load_state_dict_pre_hooks",
        "_optimizer_state_dict_post_hooks",
        "_optimizer_state_dict_pre_hooks",
        "_optimizer_step_post_hooks",
        "_optimizer_step_pre_hooks",
    },
    # The call stack of Python.
    "torch.callers": {"_getframe"},
    # What Keras means to be overridden, and what its own optimizers ask their base class.
    "keras.averages": {"_model_variables_moving_average"},
    # The variables that the optimizer was built for, in its order.
    "keras.saving": {"_trainable_variables"},
    "keras.files": {"_trainable_variables"},
    "keras.optimizer": {
        "_get_current_learning_rate",
        "_get_variable_index",
        "_overwrite_variable_with_gradient",
        "_var_key",
    },
    # The version by which autograd sees that memory was written.
    "torch.kernel_engine": {"_version"},
    # A tensor's parts without a check that they are coalesced, and whether it wraps others.
    "torch.views": {"_C", "_disabled_torch_dispatch_impl", "_indices", "_values"},
    # The variables that a Keras optimizer trains, and the product of its Nadam.
    "homes.of_keras": {"_trainable_variables", "_u_product"},
    # What a NamedTuple calls its fields.
    "homes.trees": {"_fields"},
    # A module of torch as it was built so far; `parameters()` raises for a half-built one.
    "lab.finder.keeping": {"_buffers", "_parameters"},
}
ASKING = ("getattr", "setattr", "hasattr", "delattr", "attrgetter", "methodcaller")


def private(name: str) -> bool:
    """Whether a name says that it is nobody else's business; `__x__` are Python's own."""
    return name.startswith("_") and not name.endswith("__") and name != "_"


def folder(module: str) -> str:
    """The folder of the house in which a module lies; its own name where it lies in the root.

    The lab is a house of its own: each folder in it is one, and each module beside them.
    """
    return ".".join(module.split(".")[: 2 if module.startswith("lab.") else 1])


def defined(tree: ast.AST) -> set[str]:
    """Every underscored name that a module or class makes an attribute of its classes."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for inside in node.body:
                if isinstance(inside, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.add(inside.name)
                elif isinstance(inside, ast.Assign | ast.AnnAssign):
                    names = [*ast.walk(inside)]
                    found |= {n.id for n in names if isinstance(n, ast.Name) and stored(n)}
        elif isinstance(node, ast.Attribute) and stored(node) and own(node.value):
            found.add(node.attr)
    return set(filter(private, found))


def stored(node: ast.Name | ast.Attribute) -> bool:
    """Whether this is where a name is bound."""
    return isinstance(node.ctx, ast.Store)


def own(node: ast.AST) -> bool:
    """Whether something is asked of the object or the class itself."""
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def used(tree: ast.AST) -> Iterator[tuple[str, bool, int]]:
    """Every underscored name that is asked of something: whether of itself, and in which line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and private(node.attr):
            yield node.attr, own(node.value), node.lineno
        elif isinstance(node, ast.ImportFrom):
            inside = (node.module or "").startswith("adamas") or node.level
            for alias in node.names if inside else ():
                if private(alias.name):
                    yield alias.name, False, node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ASKING:
            for given in node.args:
                if isinstance(given, ast.Constant) and private(str(given.value)):
                    yield str(given.value), own(node.args[0]), node.lineno


def reaches(texts: dict[str, str]) -> list[str]:
    """Describe every use of an underscored name that was made elsewhere."""
    trees = {module: ast.parse(text) for module, text in texts.items()}
    here = {module: defined(tree) for module, tree in trees.items()}
    around: dict[str, set[str]] = {}
    for module, names in here.items():
        around.setdefault(folder(module), set()).update(names)
    return [
        f"{module}:{line} uses {name}, which is not its own"
        for module, tree in trees.items()
        for name, itself, line in used(tree)
        if name not in (around[folder(module)] if itself else here[module])
        and name not in FOREIGN.get(module, ())
    ] + [
        f"{module}:{line} makes {name}, which a class that it derives from has in another folder"
        for module, tree in trees.items()
        for kind, base, line in derived(tree)
        for name in defined(kind) & around.get(base, set())
        if base != folder(module)
    ]


def derived(tree: ast.AST) -> Iterator[tuple[ast.ClassDef, str, int]]:
    """Every class that is derived from one of adamas's, with the folder of that one."""
    origins = {
        alias.asname or alias.name: folder(node.module.removeprefix("adamas."))
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("adamas.")
        for alias in node.names
        if node.module
    }
    for node in ast.walk(tree):
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            if isinstance(node, ast.ClassDef) and ast.unparse(base) in origins:
                yield node, origins[ast.unparse(base)], node.lineno


HERE = sources(PACKAGE)


def test_underscored_names_stay_where_they_were_made() -> None:
    """No module uses an underscored name of another, and no floor one of another floor."""
    problems = reaches(HERE)
    assert not problems, "\n".join(problems)


def test_the_list_of_foreign_names_is_short() -> None:
    """Every name that is excused is still asked for where it is excused, and not made there."""
    for module, names in FOREIGN.items():
        tree = ast.parse(HERE[module])
        asked = {name for name, _, _ in used(tree)} - defined(tree)
        assert names <= asked, (module, names - asked)


@pytest.mark.parametrize(
    ("module", "source", "problems"),
    [
        ("torch.base", "from adamas.engine.state import _owner", 1),
        ("torch.base", "from adamas.engine.state import Store as _Store", 0),
        ("torch.base", "engine._tensors[0].first_block = 1", 1),
        ("torch.base", "engine.tensors[0].first_block = 1", 0),
        ("torch.base", "getattr(engine, '_tensors')", 1),
        ("torch.base", "class A(B):\n    def f(self):\n        return self._tensors", 1),
        ("torch.base", "class A:\n    def f(self, other):\n        return other._mine()", 1),
        ("torch.base", "class A:\n    def _mine(self, o):\n        return o._mine(self)", 0),
        (
            "torch.base",
            "from adamas.engine.state import B\nclass A(B):\n    _tensors = ()",
            1,
        ),
        ("lab.own.spec", "class A:\n    def f(self):\n        return self._hidden", 1),
        ("lab.commands.meter", "class A:\n    def f(self):\n        return self._hidden", 0),
        ("engine.plan", "class A(B):\n    def f(self):\n        return self._tensors", 0),
        ("engine.plan", "def f(a):\n    return a._tensors", 1),
        ("engine.plan", "def f(a):\n    return a.__dict__, __name__", 0),
    ],
)
def test_a_reach_is_found(module: str, source: str, problems: int) -> None:
    """The check itself can fail: names of others are found however they are asked for."""
    made = "class B:\n    def __init__(self):\n        self._tensors = []"
    shown = "class C:\n    def _hidden(self):\n        return 1"
    here = {"engine.state": made, "lab.commands.progress": shown, module: source}
    assert len(reaches(here)) == problems


def test_tests_share_by_helpers_alone() -> None:
    """No test file imports another: what several need is in tests/helpers, under its own name."""
    found = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or node.names[0].name]
        if name.startswith("test_")
    ]
    assert not found, "\n".join(found)

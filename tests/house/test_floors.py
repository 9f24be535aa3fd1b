"""Imports go down the floors of the house only; the plan of the house is the data in this file.

A module may import whatever is on a lower floor, or earlier in the list of its own floor; an import
inside a function or under `TYPE_CHECKING` counts like any other. A new module needs one line in
HOUSE, a new dependency one word in OUTSIDE, and a reviewer sees both.
"""

from collections import Counter
from collections.abc import Iterable
from graphlib import TopologicalSorter

import pytest

from import_reader import imports, loaded, sources
from places import PACKAGE

# Floors of one number lie beside each other. `__init__` is a package's own file. `lab.*` is every
# module of a folder, in any order without a cycle. The members of a set do not import each other,
# folders in it only their own modules.
HOUSE: dict[str, tuple[str, ...] | frozenset[str]] = {
    "0 ground": (
        "newton_schulz",
        "words",
        "rules.*",
        "dialects.*",
        "codecs",
        "schedule.base",
        "schedule.shapes",
        "schedule.parsing",
        "schedule.__init__",
    ),
    "1 kernel": (
        "kernel.text",
        "kernel.dither",
        "kernel.draws",
        "kernel.nodes",
        "kernel.origin",
        "kernel.constants",
        "kernel.scopes",
        "kernel.advice",
        "kernel.language",
        "kernel.signature",
        "kernel.calls",
        "kernel.flatten",
        "kernel.inline",
        "kernel.first",
        "kernel.formula",
        "kernel.orthogonal",
        "kernel.variants",
        "kernel.observing",
        "kernel.kinds",
        "kernel.hoist",
        "kernel.bound",
        "kernel.totals",
        "kernel.stages",
        "kernel.split",
        "kernel.switch",
        "kernel.runtime.__init__",
        "kernel.runtime.job",
        "kernel.runtime.scaling",
        "kernel.processors",
        "kernel.layout",
        "kernel.traffic",
        "kernel.lower",
        "kernel.elements",
        "kernel.holding",
        "kernel.blocks",
        "kernel.gather",
        "kernel.reducing",
        "kernel.entry",
        "kernel.weave",
        "kernel.runtime.intrinsics",
        "kernel.runtime.integers",
        "kernel.runtime.stepping",
        "kernel.runtime.stepping_integers",
        "kernel.runtime.linked",
        "kernel.runtime.operations",
        "kernel.runtime.lanes",
        "kernel.runtime.reductions",
        "kernel.runtime.sums",
        "kernel.runtime.machine",
        "kernel.trust",
        "kernel.cache",
        "kernel.build",
        "kernel.reference",
        "kernel.__init__",
    ),
    "2 engine": (
        "engine.fixed",
        "engine.group",
        "engine.limits",
        "engine.settings",
        "engine.cpus",
        "engine.grid",
        "engine.codes",
        "engine.tensors",
        "engine.threads",
        "engine.mapped",
        "engine.turn",
        "engine.peers",
        "engine.storage",
        "engine.options",
        "engine.routing",
        "engine.tables",
        "engine.expected",
        "engine.routes",
        "engine.chunks",
        "engine.matrices",
        "engine.places",
        "engine.batch",
        "engine.first",
        "engine.rows",
        "engine.gradients",
        "engine.starts",
        "engine.identity",
        "engine.loading",
        "engine.orders",
        "engine.state",
        "engine.plan",
        "engine.bind",
        "engine.sparse",
        "engine.finite",
        "engine.agree",
        "engine.phases",
        "engine.missed",
        "engine.parts",
        "engine.beside",
        "engine.joint",
        "engine.observed",
        "engine.stepper",
        "engine.together",
        "engine.several",
        "engine.whole",
        "engine.copying",
        "engine.modes",
        "homes.known",
        "files.*",
        "disk.*",
        "engine.optimizer",
        "engine.__init__",
        "define",
        "classes",
        "homes.signature",
        "homes.arguments",
        "homes.torch",
        "homes.keras",
        "homes.keras_paths",
        "homes.optax",
        "homes.neutral",
        "homes.own",
        "homes.writers",
        "homes.continuing",
        "homes.few_bits",
        "homes.trees",
        "homes.filed_trees",
        "homes.keras_filed",
        "homes.bitsandbytes",
        "homes.factored",
        "homes.of_adamas",
        "homes.of_torch",
        "homes.of_optax",
        "homes.of_keras",
        "homes.conversion",
        "homes.convert",
        "homes.__init__",
        "__init__",
    ),
    "3 torch": (
        "torch.spelling",
        "torch.scheduled",
        "torch.arguments",
        "torch.called",
        "torch.callers",
        "torch.openmp",
        "torch.shards",
        "torch.views",
        "torch.random",
        "torch.ranks",
        "torch.reading",
        "torch.formulas",
        "torch.states",
        "torch.rounding_keys",
        "torch.foreign",
        "torch.binding",
        "torch.filling",
        "torch.engines",
        "torch.products",
        "torch.cuts",
        "torch.kernel_engine",
        "torch.joint_engine",
        "torch.tensor_states",
        "torch.joint_states",
        "torch.tensor_engine",
        "torch.options",
        "torch.named_rules",
        "torch.plans",
        "torch.making",
        "torch.watch",
        "torch.driver",
        "torch.release",
        "torch.saving",
        "torch.files",
        "torch.observed",
        "torch.routing",
        "torch.base",
        "torch.modes",
        "torch.layers",
        "torch.routed",
        "torch.classes",
        "torch.__init__",
    ),
    "3 jax": (
        "jax.words",
        "jax.keeping",
        "jax.coded",
        "jax.formats",
        "jax.states",
        "jax.dependence",
        "jax.plans",
        "jax.masks",
        "jax.checks",
        "jax.transform",
        "jax.evaluating",
        "jax.arguments",
        "jax.factories",
        "jax.saved",
        "jax.files",
        "jax.__init__",
    ),
    "3 keras": (
        "keras.on_torch",
        "keras.on_jax",
        "keras.on_tensorflow",
        "keras.steps",
        "keras.rounding",
        "keras.rates",
        "keras.slots",
        "keras.averages",
        "keras.saving",
        "keras.files",
        "keras.optimizer",
        "keras.classes",
        "keras.__init__",
    ),
    "3 scipy": ("scipy.objective", "scipy.descent", "scipy.methods", "scipy.__init__"),
    "3 pages": (
        "pages.sentences",
        "pages.told",
        "pages.elements",
        "pages.document",
        "pages.__init__",
        "cli_text.__init__",
        "cli_text.core_words",
        "show",
    ),
    "4 learn": (
        "learn.javascript",
        "learn.problems",
        "learn.trace",
        "learn.text.__init__",
        "learn.symbols",
        "learn.notation",
        "learn.typeset",
        "learn.scripts",
        "learn.numbers",
        "learn.measured",
        "learn.frames",
        "learn.playground_page",
        "learn.chapters.*",
        "learn.book",
        "learn.relations",
        "learn.entries",
        "learn.catalogue",
        "learn.command",
        "learn.__init__",
    ),
    "4 lab": (
        "bench.*",
        "lab.text.*",
        "lab.constants",
        "lab.names",
        "lab.needs",
        "lab.problems",
        "lab.layers",
        "lab.tuning",
        "lab.statistics.*",
        "lab.course",
        "lab.stepping",
        "lab.regrouped",
        "lab.gradients",
        "lab.entrant_base",
        "lab.foreign.*",
        "lab.entrants",
        "lab.page.*",
        "lab.data.*",
        "lab.trial",
        "lab.zoo.*",
        "lab.doctor.*",
        "lab.finder.*",
        "lab.own.*",
        "lab.protocol.*",
        "lab.report.*",
        "lab.commands.*",
        "lab.notebook.*",
        "lab.__init__",
        "lab.demo.*",
    ),
    "4 check": (
        "check.text.__init__",
        "check.tables.__init__",
        "check.quiet",
        "check.plan",
        "check.formulas",
        "check.family",
        "check.hypers",
        "check.running",
        "check.in_torch",
        "check.in_optax",
        "check.in_keras",
        "check.subject",
        "check.dialect",
        "check.effects",
        "check.numerics",
        "check.layouts",
        "check.resume",
        "check.report",
        "check.checking",
        "check.told",
        "check.page",
        "check.__init__",
    ),
    "4 others": (
        "others.found",
        "others.numpy_scalars",
        "others.torch_file",
        "others.keras_file",
        "others.numpy_file",
        "others.opening",
        "others.keras_built",
        "others.names",
        "others.beside",
        "others.source",
        "others.target",
        "others.flags",
        "others.parameters",
        "others.conversion",
        "others.__init__",
    ),
    "5 commands": (
        "cli_language",
        "cli_values",
        "cli_lab",
        "cli_check",
        "cli_inspect",
        "cli_convert",
        "cli",
        "__main__",
    ),
}

# Third-party packages that a module may import; a module's own line goes before its floor's.
OUTSIDE: dict[str, set[str]] = {
    "rules.*": set(),
    "dialects.*": set(),
    "0 ground": {"numpy"},
    "1 kernel": {"numpy", "numba", "llvmlite"},
    "2 engine": {"numpy"},
    "torch.*": {"numpy", "torch"},
    "jax.*": {"numpy", "jax", "optax"},
    "keras.*": {"numpy", "keras", "jax", "tensorflow", "torch"},
    "scipy.*": {"numpy", "scipy"},
    "pages.*": set(),
    "learn.*": {"numpy"},
    "4 lab": {"numpy", "scipy", "sklearn", "matplotlib", "joblib", "cloudpickle", "threadpoolctl"},
    "4 check": {"numpy"},
    "4 others": {"numpy"},
    "5 commands": {"numpy"},
}
# Peers to measure against: inside functions only, because they need not be installed.
PEERS = {
    "torch",
    "jax",
    "optax",
    "keras",
    "distributed",
    "pyarrow",
    "h5py",
    "gymnasium",
    "tifffile",
    "pandas",
}
PEER_FLOORS = {"4 lab", "4 check", "4 others", "5 commands"}

# Modules that import only these modules of adamas, and modules beside them, whatever their floor
# allows.
ONLY = {"rules": {"words"}, "dialects": {"words"}}

# Numba takes about half a second to import: these modules are imported at the first step.
COMPILERS = {"numba", "llvmlite"}
COMPILED = {
    "kernel.runtime.integers",
    "kernel.runtime.intrinsics",
    "kernel.runtime.linked",
    "kernel.runtime.operations",
    "kernel.runtime.lanes",
    "kernel.runtime.reductions",
    "kernel.runtime.machine",
}


def place(module: str) -> tuple[str, int] | None:
    """Find a module's floor and its position there; None if it has no place."""
    for floor, names in HOUSE.items():
        for position, name in enumerate(names):
            if module == name or (name.endswith(".*") and module.startswith(name[:-1])):
                return floor, position
    return None


def only(importer: str, imported: str) -> bool:
    """Decide whether an import is among those that a module is restricted to, if it is."""
    folder = importer.partition(".")[0]
    return imported in ONLY.get(folder, {imported}) or imported.partition(".")[0] == folder


def may_import(importer: str, imported: str) -> bool:
    """Decide whether the plan allows one import between two modules that have a place."""
    here, there = place(importer), place(imported)
    if here is None or there is None or not only(importer, imported):
        return False
    if here[0] != there[0]:
        return there[0].partition(" ")[0] < here[0].partition(" ")[0]
    names = HOUSE[here[0]]
    if there == here:
        return list(names)[here[1]].endswith(".*")
    return there[1] < here[1] and not isinstance(names, frozenset)


def may_use(module: str, package: str, lazy: bool) -> bool:
    """Decide whether `module` may import a package from outside."""
    where = place(module)
    assert where is not None
    folder = f"{module.partition('.')[0]}.*"
    allowed = OUTSIDE.get(module, OUTSIDE.get(folder, OUTSIDE.get(where[0], set())))
    peer = where[0] in PEER_FLOORS and package in PEERS and lazy
    return (package in allowed or peer) and (lazy or package not in COMPILERS or module in COMPILED)


def upward(texts: dict[str, str]) -> list[str]:
    """Describe every import that does not go down."""
    return [
        f"{module} imports adamas.{found.target}, which HOUSE does not put below it"
        for module, text in texts.items()
        for found in imports(text, module, set(texts))
        if found.inside and not may_import(module, found.target)
    ]


def foreign(texts: dict[str, str]) -> list[str]:
    """Describe every import from outside that the plan does not allow."""
    return [
        f"{module} imports {found.target}{'' if found.lazy else ' at module level'}: see OUTSIDE, "
        "PEERS and COMPILED"
        for module, text in texts.items()
        for found in imports(text, module, set(texts))
        if not found.inside and not may_use(module, found.target, found.lazy)
    ]


HERE = sources(PACKAGE)


def test_every_module_has_a_place() -> None:
    """A module that is not in the plan is refused, and the message says where to add it."""
    homeless = [module for module in HERE if place(module) is None]
    assert not homeless, (
        f"{homeless} are on no floor: add each to HOUSE in tests/house/test_floors.py, "
        "right after the last module that it imports"
    )


def test_imports_go_down() -> None:
    """No module imports one that stands above or beside it."""
    problems = upward(HERE)
    assert not problems, "\n".join(problems)


def test_outside_packages_stay_on_their_floor() -> None:
    """The core uses NumPy and Numba only, and each face meets one framework."""
    problems = foreign({module: text for module, text in HERE.items() if place(module)})
    assert not problems, "\n".join(problems)


def test_import_adamas_loads_no_compiler() -> None:
    """Nothing that `import adamas` runs imports Numba, a framework or a package of the lab."""
    outside = {found.target for found in loaded(HERE, "__init__") if not found.inside}
    assert outside <= {"numpy"}


def test_no_cycles() -> None:
    """No module needs itself while it is being imported, in the unordered folders too."""
    graph = {
        module: {f.target for f in imports(text, module, set(HERE)) if f.inside and not f.lazy}
        for module, text in HERE.items()
    }
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("words", "from adamas.rules import adam"),
        ("rules.adam", "from adamas.codecs import int8"),
        ("codecs", "import adamas"),
        ("kernel.hoist", "from adamas.kernel.weave import weave"),
        ("kernel.weave", "def f():\n    from adamas.engine import state"),
        ("engine.state", "if TYPE_CHECKING:\n    from adamas.classes import AdamW"),
        ("torch.base", "from adamas import jax"),
        ("jax", "from adamas import torch"),
        ("torch.watch", "if TYPE_CHECKING:\n    from adamas.torch.base import Optimizer"),
        ("lab.report", "from adamas import cli"),
    ],
)
def test_an_upward_import_is_found(module: str, source: str) -> None:
    """The check itself can fail: imports that go up or sideways are reported."""
    stubs = "__init__ words rules codecs kernel.__init__ kernel.hoist kernel.weave engine.state"
    tree = dict.fromkeys(f"{stubs} classes torch.__init__ torch.base jax cli".split(), "") | {
        module: source
    }
    assert len(upward(tree)) == 1


@pytest.mark.parametrize(
    ("module", "source", "problems"),
    [
        ("rules.adam", "import numpy", 1),
        ("kernel.build", "import numba", 1),
        ("kernel.build", "def f():\n    import numba", 0),
        ("kernel.runtime.machine", "import numba", 0),
        ("engine.state", "def f():\n    import numba", 1),
        ("torch.base", "import numpy, torch", 0),
        ("torch.base", "def f():\n    import jax", 1),
        ("bench.peers", "import torch", 1),
        ("bench.peers", "def f():\n    import torch", 0),
    ],
)
def test_a_foreign_package_is_found(module: str, source: str, problems: int) -> None:
    """The check itself can fail: packages from outside are allowed only where the plan says."""
    assert len(foreign({module: source})) == problems


def same_names(modules: Iterable[str]) -> list[str]:
    """Files of one floor that have the same name; every folder has its `__init__`."""
    floors = {module: place(module) for module in modules}
    names = [(where[0], module.rpartition(".")[2]) for module, where in floors.items() if where]
    return [name for (_, name), n in Counter(names).items() if n > 1 and name != "__init__"]


def test_no_file_name_twice_on_a_floor() -> None:
    """A file is named by what it holds: no other on its floor, in whatever folder, has its name."""
    assert same_names(HERE) == []


def test_a_second_file_name_is_found() -> None:
    """The check itself can fail, between folders of a floor and not between floors."""
    assert (
        same_names(["kernel.first", "engine.first", "kernel.__init__", "schedule.__init__"]) == []
    )
    assert same_names(["kernel.build", "engine.plan", "lab.protocol.plan", "bench.plan"]) == [
        "plan"
    ]
    assert same_names(["lab.own.table", "lab.report.table", "torch.base", "engine.base"]) == [
        "table"
    ]

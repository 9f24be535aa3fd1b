"""The lab: problems, trials, statistics, charts and pages, for comparing optimizers honestly.

Everything here stands on the engine and nothing in the engine knows of it. It needs the extra
`adamas[lab]` and is imported only by the commands that use it. The names below are what a notebook
calls, and what a user's own `mine.py` imports for `adamas compare mine.py:problem`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "ComparisonResult", "LabError", "Problem", "Task", "compare", "find_lr", "jax_problem",
    "loop_problem", "numpy_problem", "torch_problem",
]  # fmt: skip

if TYPE_CHECKING:
    from adamas.lab.finder.live import find_lr
    from adamas.lab.needs import LabError
    from adamas.lab.notebook.api import compare
    from adamas.lab.notebook.comparison import ComparisonResult
    from adamas.lab.own.adapters import jax_problem, numpy_problem, torch_problem
    from adamas.lab.own.loop import loop_problem
    from adamas.lab.problems import Problem, Task
else:
    HOMES = {
        "ComparisonResult": "adamas.lab.notebook.comparison",
        "LabError": "adamas.lab.needs",
        "Problem": "adamas.lab.problems",
        "Task": "adamas.lab.problems",
        "compare": "adamas.lab.notebook.api",
        "find_lr": "adamas.lab.finder.live",
        "jax_problem": "adamas.lab.own.adapters",
        "loop_problem": "adamas.lab.own.loop",
        "numpy_problem": "adamas.lab.own.adapters",
        "torch_problem": "adamas.lab.own.adapters",
    }

    def __getattr__(name: str) -> Any:
        # Every module of the lab runs this file first; none should load the others for it.
        if name in HOMES:
            return getattr(import_module(HOMES[name]), name)
        raise AttributeError(f"module 'adamas.lab' has no attribute {name!r}")

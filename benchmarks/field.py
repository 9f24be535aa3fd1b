"""The optimizers of the field, each checked: `python -m benchmarks.field --out field.json`.

Children check one optimizer after the other, because some crash or never end: such a child is
replaced, and the reason is the result. What is in the file already is not run again.
`python tools/write_check.py FILE` writes the table of docs/check.md from it.
"""

import argparse
import functools
import importlib
import inspect
import json
import os
import platform
import select
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

LIMIT = 240.0
# Where the optimizers of a package are.
PACKAGES = {
    "torch": "torch.optim",
    "keras": "keras.optimizers",
    "timm": "timm.optim",
    "pytorch_optimizer": "pytorch_optimizer",
    "bitsandbytes": "bitsandbytes.optim",
    "optax": "optax",
    "optax.contrib": "optax.contrib",
}
# Options by which one class computes several rules; each is a row of its own.
OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "torch.optim.Adam": ({"amsgrad": True},),
    "torch.optim.AdamW": ({"amsgrad": True},),
    "torch.optim.SGD": ({"momentum": 0.9}, {"momentum": 0.9, "nesterov": True},
                        {"momentum": 0.9, "dampening": 0.5}),
    "torch.optim.RMSprop": ({"momentum": 0.9}, {"centered": True},
                            {"centered": True, "momentum": 0.9}),
    "torch.optim.Adagrad": ({"lr_decay": 0.1},),
    "optax.sgd": ({"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}),
    "optax.rmsprop": ({"momentum": 0.9}, {"centered": True}, {"eps_in_sqrt": False}),
    "optax.adam": ({"nesterov": True},),
    "keras.optimizers.SGD": ({"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}),
    "keras.optimizers.Adam": ({"amsgrad": True},),
    "keras.optimizers.RMSprop": ({"momentum": 0.9}, {"centered": True}),
    "timm.optim.RMSpropTF": ({"momentum": 0.9},),
    "bitsandbytes.optim.SGD": ({"momentum": 0.9},),
    "bitsandbytes.optim.SGD8bit": ({"momentum": 0.9},),
    "bitsandbytes.optim.SGD32bit": ({"momentum": 0.9},),
    "bitsandbytes.optim.LARS": ({"momentum": 0.9},),
    "bitsandbytes.optim.PytorchLARS": ({"momentum": 0.9},),
}  # fmt: skip


def shell(name: str) -> None:
    """Import `timm.optim` without the models of timm, which want torchvision."""
    found = None if name in sys.modules else find_spec(name)
    if found is not None and find_spec("torchvision") is None:
        made = ModuleType(name)
        made.__path__, made.__spec__ = list(found.submodule_search_locations or []), found
        models = ModuleType(f"{name}.models")
        vars(models)["group_parameters"] = None
        sys.modules.update({name: made, models.__name__: models})


def members(package: str) -> list[str]:
    """The optimizers of a package, by the name that `adamas check` takes."""
    if package == "timm":
        shell("timm")
    module: Any = importlib.import_module(PACKAGES[package])
    if package.startswith("optax"):
        return [f"{PACKAGES[package]}.{k}" for k in _functions(module)]
    if package == "keras":
        base = module.Optimizer
    else:
        base = importlib.import_module("torch").optim.Optimizer
    classes = [k for k, v in vars(module).items() if isinstance(v, type) and issubclass(v, base)]
    left = ("Optimizer", "LossScaleOptimizer", "MultiOptimizer", "BaseOptimizer")
    # What a package hands on from torch is torch's.
    own = [k for k in classes if package == "torch" or not _of_torch(vars(module)[k])]
    return [f"{PACKAGES[package]}.{k}" for k in own if k not in left]


def _functions(module: Any) -> list[str]:
    """The functions of optax that make an optimizer: they ask for a learning rate."""
    left = ("scale_by", "schedule_free_eval", "inject")
    kinds = (FunctionType, functools.partial)
    made = {k: v for k, v in vars(module).items() if isinstance(v, kinds)}
    first = {k: next(iter(inspect.signature(v).parameters), "") for k, v in made.items()}
    rated = [k for k, name in first.items() if name == "learning_rate"]
    return [k for k in dict.fromkeys(rated) if not k.startswith(left)]


def _of_torch(kind: type) -> bool:
    return kind.__module__.startswith("torch.")


def rows() -> list[str]:
    """Every row as the text of a child's task: the name and the options as JSON."""
    found = []
    for package in PACKAGES:
        for name in members(package):
            for options in ({}, *OPTIONS.get(name, ())):
                found.append(json.dumps([package, name, options]))
    return found


def child() -> None:
    """Read tasks from stdin, one a line, and answer each with one line."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    from adamas.check import CheckError, check

    for line in sys.stdin:
        package, name, options = json.loads(line)
        if package == "timm":
            shell("timm")
        found: dict[str, Any]
        try:
            found = {"found": check(name, **options).to_dict()}
        except CheckError as error:
            found = {"refused": str(error)}
        except Exception as error:
            found = {"failed": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(found) + "\n")
        answers.flush()


class Worker:
    """A child that is replaced when it crashes or takes too long."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def ask(self, task: str) -> dict[str, Any]:
        """The answer to one task."""
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, "-m", "benchmarks.field", "--child"]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, bufsize=1, env=environment(),
            )  # fmt: skip
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(task + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT)
        line = self.process.stdout.readline() if ready else ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.process.kill()
        code = self.process.wait()
        self.process = None
        return {"failed": f"no answer within {LIMIT:.0f} s" if not ready else f"exit status {code}"}


def environment() -> dict[str, str]:
    """One thread, no GPU, programs of XLA that compile quickly, Keras on torch."""
    flags = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    return {
        **os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"{flags} --xla_cpu_use_fusion_emitters=false", "KERAS_BACKEND": "torch",
        "TORCHDYNAMO_DISABLE": "1",
    }  # fmt: skip


def processor() -> str:
    """What /proc/cpuinfo calls the processor, else the architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def run(out: Path, only: str) -> None:
    """Check every row that the file does not have."""
    kept: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {"rows": {}}
    worker = Worker()
    for task in rows():
        if task in kept["rows"] or only not in task:
            continue
        kept["rows"][task] = worker.ask(task)
        kept["machine"] = processor()
        kept["date"] = date.today().isoformat()
        kept["versions"] = {name: version(name) for name in
                            ("torch", "optax", "jax", "keras", "timm", "bitsandbytes",
                             "pytorch_optimizer")}  # fmt: skip
        out.write_text(json.dumps(kept, indent=1) + "\n")
        told = kept["rows"][task]
        print(task, told.get("found", {}).get("rule") or next(iter(told)), flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("field.json"))
    parser.add_argument("--only", default="", help="rows whose text holds this")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child()
    else:
        run(given.out, given.only)


if __name__ == "__main__":
    main()

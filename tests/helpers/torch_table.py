"""The classes: every one of adamas.torch, and those in torch's own table with their inputs."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import torch
from torch.testing._internal.common_optimizers import optim_db

import adamas.torch

# Those that take a list of any tensors; rules for matrices take a module.
CLASSES = [
    name
    for name in adamas.torch.__all__
    if name[0].isupper() and name != "Optimizer" and "Muon" not in name
]
NAMES = ["Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop", "Adagrad", "Adadelta", "SGD"]
INFOS = {info.optim_cls.__name__: info for info in optim_db}


def inputs(name: str) -> Iterator[dict[str, Any]]:
    """The arguments of every input of torch's table for a class, fresh for every use."""
    for one in INFOS[name].optim_inputs_func(device="cpu"):
        yield deepcopy(one.kwargs)


def classes(name: str) -> tuple[Any, Any]:
    """Our class and torch's."""
    return getattr(adamas.torch, name), getattr(torch.optim, name)

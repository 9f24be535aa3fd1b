"""The Newton-Schulz steps of torch's Muon in the precision of what they are given."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any


def of_torch_itself() -> Callable[..., Any]:
    """The Newton-Schulz function of torch as it is written there, without its bfloat16."""
    module: Any = importlib.import_module("torch.optim._muon")
    source = inspect.getsource(module._zeropower_via_newtonschulz)
    assert source.count(".bfloat16()") == 1
    space = dict(vars(module))
    exec(source.replace(".bfloat16()", ".clone()"), space)
    made: Callable[..., Any] = space["_zeropower_via_newtonschulz"]
    return made

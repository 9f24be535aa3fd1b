"""Somebody else's code kept apart: what it changes of this process is put back afterwards."""

import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np

from adamas.lab.problems import generator

# What PyTorch's generator begins with.
FIRST_SEED = 67280421310721
# The random stream of a seed that optimizers draw from; see `problems.generator`.
DRAWN = 6


@contextmanager
def untouched() -> Iterator[None]:
    """Put back global random states, NumPy's error state, and PyTorch's defaults."""
    with ExitStack() as stack:
        stack.enter_context(np.errstate())
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())
        torch: Any = sys.modules.get("torch")
        if torch is None:
            stack.callback(_first_defaults)
        else:
            stack.callback(torch.set_rng_state, torch.get_rng_state())
            stack.callback(torch.set_default_dtype, torch.get_default_dtype())
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            grads, exact = torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled()
            stack.callback(torch.set_grad_enabled, grads)
            # Only where it was changed, because setting it takes longer than many a step.
            stack.callback(partial(_deterministic, torch, exact))
        yield


def _deterministic(torch: Any, exact: bool) -> None:
    if torch.are_deterministic_algorithms_enabled() != exact:
        torch.use_deterministic_algorithms(exact)


def _first_defaults() -> None:
    """Give PyTorch, if it was imported meanwhile, the defaults that it begins with."""
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        torch.manual_seed(FIRST_SEED)


@contextmanager
def apart(seed: int) -> Iterator[None]:
    """Let a run have random numbers of its own, one thread, and nothing compiled.

    The random numbers of Python, NumPy and PyTorch are those of the run's seed, so that a run is
    the same in every process.
    """
    with untouched(), warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore")
        seeded(int(generator(seed, DRAWN).integers(2**32)))
        torch: Any = sys.modules.get("torch")
        if torch is not None and hasattr(torch.compiler, "set_stance"):  # since PyTorch 2.6
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


def seeded(number: int) -> None:
    """Seed what is random for all, in Python, NumPy and a loaded PyTorch, which gets one thread."""
    random.seed(number)
    np.random.seed(number)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(number)
        torch.set_num_threads(1)

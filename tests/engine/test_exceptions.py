"""Every exception of ours goes through pickle, copy and process pools as what it is."""

import copy
import importlib
import pickle
import pkgutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import adamas
from adamas.kernel.text import NoTextError
from adamas.lab.needs import UnavailableError


def subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    """All classes below `kind`."""
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def ours() -> list[type[BaseException]]:
    """The exceptions of all modules of adamas."""
    for module in pkgutil.walk_packages(adamas.__path__, "adamas."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    every = {one for one in subclasses(BaseException) if one.__module__.startswith("adamas")}
    return sorted(every, key=lambda one: one.__name__)


def made(kind: type[BaseException]) -> BaseException:
    """One of each kind, with the arguments that it takes."""
    if kind is adamas.NonFiniteError:
        return adamas.NonFiniteError("w", "the gradient of 'w' holds nan", 128)
    if kind is UnavailableError:
        return UnavailableError("torch", problem="images")
    if kind is NoTextError:
        return NoTextError("a reason", "what to do")
    return kind("a reason")


def test_every_exception_is_copied_whole() -> None:
    """Type, text and attributes survive pickle, copy and deepcopy, in every module of adamas."""
    kinds = ours()
    assert {adamas.NonFiniteError, adamas.FormulaError} <= set(kinds)
    for kind in kinds:
        error = made(kind)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(error, protocol))
            assert (type(again), str(again), vars(again)) == (kind, str(error), vars(error))
        for again in (copy.copy(error), copy.deepcopy(error)):
            assert (type(again), str(again), vars(again)) == (kind, str(error), vars(error))


def diverging() -> None:
    """A step with a gradient that is not finite."""
    adamas.SGD({"w": np.ones(2)}).step({"w": np.array([1.0, np.nan])})


def test_a_process_pool_passes_it_on() -> None:
    """A worker's NonFiniteError arrives in the parent, with its key and how much was left out."""
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(adamas.NonFiniteError, match="holds nan") as raised,
    ):
        pool.submit(diverging).result(timeout=300)
    assert (raised.value.key, raised.value.left) == ("w", 2)

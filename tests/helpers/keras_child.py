"""Run all checks of `adamas.keras` in this process, on the backend that KERAS_BACKEND says.

Written is a JSON object: the text of each check's failure, empty where it passed. Beside it lie the
models that another process will load and train on.
"""

import importlib
import json
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from keras_names import CHECKS


def failure(check: Callable[[], object]) -> str:
    """The text of what a check raises, empty where it passes."""
    try:
        check()
    except Exception:
        return traceback.format_exc()
    return ""


def main(target: str) -> None:
    """Run them in order of their files; the tests of Keras come last, because they warn."""
    found = {}
    warnings.simplefilter("error")
    # Keras' variables on torch, before NumPy 2.
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
    for name in CHECKS:
        module, function = name.split(".")
        found[name] = failure(getattr(importlib.import_module(module), function))
    saving = importlib.import_module("keras_saving")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        found["saved"] = failure(lambda: saving.save(Path(target).parent))
    found |= importlib.import_module("keras_own").outcomes()
    Path(target).write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])

"""Run all checks of `adamas.keras` in this process, on the backend that KERAS_BACKEND says.

Written is a JSON object: the text of each check's failure, empty where it passed.
"""

import importlib
import json
import sys
import traceback
import warnings
from pathlib import Path

from keras_names import CHECKS


def main(target: str) -> None:
    """Run them in order of their files; the tests of Keras come last, because they warn."""
    found = {}
    warnings.simplefilter("error")
    # Keras' variables on torch, before NumPy 2.
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
    for name in CHECKS:
        module, function = name.split(".")
        try:
            getattr(importlib.import_module(module), function)()
            found[name] = ""
        except Exception:
            found[name] = traceback.format_exc()
    found |= importlib.import_module("keras_own").outcomes()
    Path(target).write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])

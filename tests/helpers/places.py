"""Where things are in the repository, for tests that read or run files of it."""

from pathlib import Path

HELPERS = Path(__file__).parent
ROOT = HELPERS.parents[1]
PACKAGE = ROOT / "src" / "adamas"

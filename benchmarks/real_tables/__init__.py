"""Real tables that ship in packages on PyPI, compared on and read a second time."""

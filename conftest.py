"""Doctests are not looked for in `adamas.keras`, whose import would choose a backend for pytest."""

collect_ignore = ["src/adamas/keras"]

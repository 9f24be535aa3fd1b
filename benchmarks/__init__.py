"""The full comparison: `python -m benchmarks` writes `results/*.json` and `RESULTS.md`.

Each module measures one group of promises and states the bar beside each figure; `adamas bench` is
the short form for a user's computer.
"""

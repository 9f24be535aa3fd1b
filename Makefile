# Every target works in a fresh clone: it makes the virtual environment that it needs, once, and
# again only when pyproject.toml changes. `.venv` is for use, `.venv-dev` for work on adamas.

SHELL := /bin/sh
PYTHON ?= python3
DEV := .venv-dev/bin

.DEFAULT_GOAL := help
.PHONY: help demo tiny test check format bench clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv/installed ## run the tutorial; its report goes to demo-report/
	.venv/bin/adamas demo --out demo-report

tiny: .venv-tiny/installed ## the whole machine in seconds, with NumPy and Numba alone
	.venv-tiny/bin/python -m pytest -q tests/test_tiny.py

# Two files at a time: half of the tests wait for processes that they started.
test: .venv-dev/installed ## run every test and every doctest
	$(DEV)/python -m pytest --numprocesses 2 --dist loadfile

check: .venv-dev/installed ## lint, format, types, floors and size; changes nothing
	$(DEV)/python -m ruff check .
	$(DEV)/python -m ruff format --check .
	$(DEV)/python -m mypy
	$(DEV)/python -m pytest -q tests/house/test_floors.py
	$(DEV)/python tools/check_size.py

format: .venv-dev/installed ## let ruff mend what it can
	$(DEV)/python -m ruff check --fix .
	$(DEV)/python -m ruff format .

bench: .venv-dev/installed ## time adamas beside every installed peer; writes benchmarks/RESULTS.md
	$(DEV)/python -m benchmarks

clean: ## remove reports, caches and builds
	rm -rf demo-report bench-report build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name '.venv*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove the virtual environments too
	rm -rf .venv .venv-dev .venv-tiny benchmarks/.peers

# Of these only the data, or some files of text, are read; what they depend on weighs gigabytes.
ALONE := stardist==0.9.2 recbole==1.2.1 timm==1.0.31

.venv/installed: WHAT := '.[lab]'
.venv-dev/installed: WHAT := '.[dev]'
.venv-tiny/installed: WHAT := . hypothesis~=6.170 pytest~=9.2
.venv/installed .venv-dev/installed .venv-tiny/installed: pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "adamas needs Python 3.11 or newer, and $(PYTHON) is older or missing:" \
	    "set PYTHON, as in 'make PYTHON=/path/to/python3.11 ...'" >&2; exit 1; }
	@echo "installing adamas into $(@D), once"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --editable $(WHAT)
	@case $(@D) in *-dev) \
	  $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $(ALONE);; esac
	@touch $@

# Every target works in a fresh clone: it makes the virtual environment that it needs, once, and
# again only when pyproject.toml changes. `.venv` is for use, `.venv-dev` for work on adamas.

SHELL := /bin/sh
PYTHON ?= python3
DEV := .venv-dev/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv/installed ## run the tutorial; its report goes to demo-report/
	.venv/bin/adamas demo --out demo-report

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
	rm -rf .venv .venv-dev benchmarks/.peers

.venv/installed: EXTRA := lab
.venv-dev/installed: EXTRA := dev
.venv/installed .venv-dev/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "adamas needs Python 3.11 or newer, and $(PYTHON) is older or missing:" \
	    "set PYTHON, as in 'make PYTHON=/path/to/python3.11 ...'" >&2; exit 1; }
	@echo "installing adamas[$(EXTRA)] into $(@D), once"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRA)]'
	@touch $@

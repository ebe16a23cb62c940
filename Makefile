# `make help` lists what there is. The environment is .venv; it is made once and again only when a lock file changes.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

VIEWERS ?= 20000
PORT ?= 8080

.PHONY: help setup demo test check bench format lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv from the lock file

$(STAMP): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Grandstand needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: $(STAMP) ## a simulated match on 127.0.0.1:8080 (SECONDS=20 ends by itself)
	@$(BIN)/grandstand demo --viewers $(VIEWERS) --port $(PORT) $(if $(SECONDS),--seconds $(SECONDS))

test: $(STAMP) ## every test, with coverage
	@tests/tools
	@rm -f .coverage .coverage.*
	$(BIN)/pytest --cov --cov-report=term --cov-fail-under=90 -n 2 --dist loadgroup $(ARGS)

check: $(STAMP) ## ruff, ruff format, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## time what the budgets speak of; asserts nothing
	@$(BIN)/python -m lab.bench $(ARGS)

format: $(STAMP) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(STAMP) ## resolve the lock file anew
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --no-emit-index-url --no-header --quiet --output-file requirements/dev.lock

clean: ## forget the environment
	rm -rf .venv

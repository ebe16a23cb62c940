# `make help` lists what there is. The environment is .venv; it is made once and again only when a lock file changes.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

# Node.js is a package of .venv, so that Python is all one needs.
export npm_config_audit := false
export npm_config_fetch_retry_maxtimeout := 5000
export npm_config_fetch_retry_mintimeout := 1000
export npm_config_fund := false
export npm_config_loglevel := error
export npm_config_update_notifier := false
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix web
WEB_INSTALLED := web/node_modules/.installed
WEB_BUILT := web/dist/index.html
WEB_SOURCES := $(shell find web -mindepth 1 \( -name node_modules -o -name dist \) -prune -o -print) docs/metrics.md

VIEWERS ?= 20000
PORT ?= 8080

.PHONY: help setup web demo test check bench format lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv from the lock file

$(STAMP): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Grandstand needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

web: $(WEB_BUILT) ## build the live page, the beacon and the widgets

$(WEB_INSTALLED): web/package-lock.json | $(STAMP)
	@echo "Installing what the live page is built with (npm ci)"
	@$(NPM) ci
	@touch $@

$(WEB_BUILT): $(WEB_INSTALLED) $(WEB_SOURCES)
	@echo "Building the live page"
	@said=$$($(NPM) run --silent build 2>&1) || { echo "$$said" >&2; exit 1; }
	@touch $@

demo: $(STAMP) ## a simulated match on 127.0.0.1:8080 (SECONDS=20 ends by itself)
	@$(MAKE) --no-print-directory web || echo "The live page could not be built, for the reason above. The demo goes on without a new one."
	@$(BIN)/grandstand demo --viewers $(VIEWERS) --port $(PORT) $(if $(SECONDS),--seconds $(SECONDS))

test: $(STAMP) web ## every test, with coverage
	@$(NPM) run --silent test
	@tests/tools
	@rm -f .coverage .coverage.*
	$(BIN)/pytest --cov --cov-report=term --cov-fail-under=90 -n 2 --dist loadgroup $(ARGS)

check: $(STAMP) $(WEB_INSTALLED) ## ruff, mypy --strict, import-linter; tsc, ESLint, Prettier
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run --silent check

bench: $(STAMP) ## time what the budgets speak of; asserts nothing
	@$(BIN)/python -m lab.bench $(ARGS)

format: $(STAMP) $(WEB_INSTALLED) ## let ruff, ESLint and Prettier mend what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run --silent format

lock: $(STAMP) ## resolve the lock file anew
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --no-emit-index-url --no-header --quiet --output-file requirements/dev.lock

clean: ## forget the environment and what was built
	rm -rf .venv web/node_modules web/dist

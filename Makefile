# zwerm: `make up` starts a node, `make check` reads the code, `make test` proves it. See CONTRIBUTING.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
COMPILED := $(shell sed -n 's/^ *"\(src\/.*\.py\)",.*/\1/p' setup.py 2>/dev/null)
PATHS ?= src tests benchmarks

.PHONY: up test test-all check fix bench docs clean peers

up: $(VENV)/.installed
	$(BIN)/zwerm up $(ARGS)

$(VENV)/bin/python:
	@tools/bootstrap $(PYTHON) $(VENV)

$(VENV)/.installed: pyproject.toml setup.py $(COMPILED) | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

peers: $(VENV)/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[peers]'
	tools/install-peers

check: $(VENV)/.dev
	$(BIN)/ruff check $(PATHS)
	$(BIN)/ruff format --check $(PATHS)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/lengths.py
	tools/check-web

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix-only $(PATHS)
	$(BIN)/ruff format $(PATHS)

test: peers
	$(BIN)/pytest -m "not full" -n 2 --dist loadgroup $(ARGS)

test-all: peers
	$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

bench: peers
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.dev
	$(BIN)/python tools/docs.py

clean:
	rm -rf $(VENV) build src/*.egg-info tests/peers/node_modules
	find src -name '*.so' -delete

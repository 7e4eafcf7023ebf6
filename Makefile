# zwerm: `make up` starts a node, `make check` reads the code, `make test` proves it. See CONTRIBUTING.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
NODE := tests/peers/node_modules/.zwerm-lock
PYTHON ?= python3
COMPILED := $(shell sed -n 's/^ *"\(src\/.*\.py\)",.*/\1/p' setup.py 2>/dev/null)
PATHS ?= src tests benchmarks tools/*.py
PART ?= 1/1

.PHONY: up test test-all check fix bench docs clean peers vendor

up: $(VENV)/.installed
	$(BIN)/zwerm up $(ARGS)

$(VENV)/bin/python:
	@tools/bootstrap $(PYTHON) $(VENV)

$(VENV)/.installed: pyproject.toml setup.py $(COMPILED) | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/python -m compileall -q src/zwerm # as pip does for what it installs for good: a command starts in half the time
	@touch $@

# What to install is read off pyproject.toml, so that neither a check nor one more extra builds the package.
wanted = $(BIN)/python -c 'import sys, tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	print(*(project["optional-dependencies"] | project)[sys.argv[1]], sep="\n")' $(1) > $(VENV)/$(1).txt && \
	$(BIN)/pip install --quiet --disable-pip-version-check -r $(VENV)/$(1).txt

$(VENV)/.tools: pyproject.toml | $(VENV)/bin/python
	$(call wanted,dependencies)
	$(call wanted,dev)
	@touch $@

$(NODE): tests/peers/package-lock.json
	tools/install-peers node

peers: $(VENV)/.installed $(VENV)/.tools
	$(call wanted,peers)
	tools/install-peers

check: $(VENV)/.tools $(NODE) # neither needs nor waits for the build
	$(BIN)/ruff check $(PATHS)
	$(BIN)/ruff format --check $(PATHS)
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports --no-cache
	$(BIN)/python tools/lengths.py
	tools/check-web

fix: $(VENV)/.tools
	$(BIN)/ruff check --fix-only $(PATHS)
	$(BIN)/ruff format $(PATHS)

test: peers
	$(BIN)/pytest -m "not full" -n 2 --dist loadgroup $(ARGS)

test-all: peers # the full sets, in hours; PART=1/4 runs a quarter of them. It writes docs/verified.md
	$(call wanted,fuzz)
	$(BIN)/python tools/verified.py --part $(PART) $(ARGS)

bench: peers
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.installed $(VENV)/.tools
	$(BIN)/python tools/docs.py

vendor: # the front end's libraries again from npm; the result is committed
	tools/vendor-web

clean:
	rm -rf $(VENV) build src/*.egg-info tests/peers/node_modules
	find src -name '*.so' -delete

# Peyk: `make test` and `make demo` are all a newcomer needs.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup check test demo clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

setup: .venv/.ready  ## make .venv and install everything into it (seconds when nothing changed)

.venv/.ready: pyproject.toml constraints.txt
	@echo "setting up .venv (about a minute the first time)"
ifdef UV
	@test -x $(BIN)/python || uv venv -q --python 3.11 .venv
	@uv pip install -q --python $(BIN)/python -c constraints.txt -e '.[dev,interop]'
else
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev,interop]'
endif
	@touch $@

check: setup  ## the gate: format, lint, types, import contracts, house rules
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest -q tests/test_house.py

test: check  ## the gate, then all tests
	@$(BIN)/pytest -q -n 4 --dist loadgroup tests

demo: setup  ## a local Telegram, the engine and a user: watch one file arrive
	@$(BIN)/python run.py demo $(ARGS)

clean:  ## remove .venv and caches (data and sessions stay)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

# What people do here. `make help` lists it.
#
# PYTHON  the interpreter that makes .venv (3.11 or newer; if not given, the system's own, else the first that is found)
# ARGS    more arguments for pytest: make test ARGS="-k reminder"

SHELL := /bin/sh
BIN := .venv/bin
export PYTHON
# What Python has compiled is kept: without it, each of the tests' workers compiles every test anew, and each Rondo that
# they start itself.
unexport PYTHONDONTWRITEBYTECODE

# Three workers on two cores: the tests wait more than they compute. Each worker has its own PostgreSQL.
# A file stays on one worker, since what a module sets up is dear. What hangs shows its stacks.
WORKERS ?= 3
# What compares times to a few percent runs before the others: beside them, noise alone is more than that.
ALONE := tests/integration/services/test_enumeration.py
# Of `make simulate`: how many days, the first of them, and after how long to stop (0: when all are over).
SEEDS ?= 1000
FIRST ?= 0
SECONDS ?= 0
COVERAGE := $(if $(ARGS),,--cov)

.PHONY: help setup run test simulate load bench lint lint-python lint-ui format lock metrics-table clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/runtime.stamp ## Install what is needed, start nothing

run: .venv/runtime.stamp ## Install what is needed and serve
	@exec $(BIN)/rondo serve

test: .venv/dev.stamp ## Run all tests and the coverage gate
	@sh tests/system_packages.sh
	$(if $(ARGS),,$(BIN)/pytest -o faulthandler_timeout=240 $(ALONE))
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -o faulthandler_timeout=240 $(if $(ARGS),,--ignore $(ALONE)) $(COVERAGE) $(ARGS)

lint: lint-python lint-ui ## Check style, types, concurrency and architecture

lint-python: .venv/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/flake8 actors app loadtest monitoring supervisors
	$(BIN)/lint-imports

lint-ui: ## Check the web UI's scripts and styles
	@sh tests/lint_ui.sh

simulate: .venv/dev.stamp ## Simulate SEEDS=1000 bad days in virtual time (from FIRST=0 on, for SECONDS=0 at most)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST) --seconds $(SECONDS)

load: .venv/dev.stamp ## Load a Rondo of its own: 0 → 100 people over HTTP, then 0 → 50 WebSockets (ARGS=--short: seconds)
	$(BIN)/python -m loadtest load $(ARGS)

bench: .venv/dev.stamp ## Measure CPU per request, latency, memory, start-up, live updates (ARGS="--only get create")
	$(BIN)/python -m loadtest bench $(ARGS)

format: .venv/dev.stamp ## Format the code
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

lock: ## Pin requirements/*.in anew (needs uv); make lock UPGRADE=--upgrade moves the pins
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 $(UPGRADE) \
		requirements/runtime.in -o requirements/runtime.txt
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 $(UPGRADE) \
		requirements/dev.in -o requirements/dev.txt

metrics-table: .venv/dev.stamp ## Write the table of metrics in docs/observability.md
	$(BIN)/python -m monitoring.catalogue docs/observability.md

clean: ## Remove what was installed and generated (never your data)
	rm -rf .venv build dist *.egg-info .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than what it was made from, so that a second `make run` starts at once.
.venv/runtime.stamp: requirements/runtime.txt requirements/install.sh pyproject.toml
	@sh requirements/install.sh runtime
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp requirements/dev.txt
	@sh requirements/install.sh dev
	@touch $@

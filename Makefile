# Health-report warehouse. `make` lists the targets; each works as root and as an ordinary user.
.DEFAULT_GOAL := help
.PHONY: help setup nightly test unit up down status bench docs lint format lock lock-check clean

PYTHON := .venv/bin/python
WAREHOUSE := $(PYTHON) -m warehouse
UV := $(PYTHON) -m uv

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: ## Create or refresh .venv from the hash-pinned lock; instant and offline when it is up to date
	@sh .ci/setup

nightly: setup ## Run the night: sample reports on a new instance, load, build, audit, publish, summary
	@$(WAREHOUSE) sample --if-missing
	@$(WAREHOUSE) nightly

# The longest files first, so that both processes end together.
test: setup ## Run all tests: unit, integration, end to end
	@$(PYTHON) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder tests/e2e tests/integration tests/unit

unit: setup ## Run the tests that need no database
	@$(PYTHON) -m pytest tests/unit

up: setup ## Start PostgreSQL and Airflow on loopback, with the nightly schedule on
	@$(WAREHOUSE) up

down: setup ## Stop what `make up` and `make nightly` started
	@$(WAREHOUSE) down

status: setup ## Say what runs, which release is public, how the last runs went
	@$(WAREHOUSE) status

bench: setup ## Measure, and print the table of ratios (the reference tools are installed first)
	@$(UV) pip install --quiet --require-hashes --no-deps -r requirements-bench.lock
	@$(PYTHON) -m tests.benchmarks

docs: setup ## Make the pictures and tables of the documentation anew from the code
	@$(PYTHON) docs/pictures.py

lint: setup ## Check style, types, SQL and YAML
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m yamllint --strict .
	@$(PYTHON) -m sqlfluff lint --processes 2 dbt_project

format: setup ## Put the code into its style
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

LOCK := pip compile --universal --generate-hashes --no-header --no-emit-index-url --quiet
LOCK_ALL := $(LOCK) pyproject.toml --group dev --group build
# What only the benchmarks compare with; its versions agree with the lock of everything else.
LOCK_BENCH := $(LOCK) --group pyproject.toml:bench --constraint requirements.lock

lock: setup ## Resolve the dependencies anew into the two lock files
	@$(UV) $(LOCK_ALL) --upgrade --output-file requirements.lock
	@$(UV) $(LOCK_BENCH) --upgrade --output-file requirements-bench.lock

lock-check: setup ## Fail when a lock file does not follow from pyproject.toml
	@cp requirements.lock .venv/requirements.check
	@cp requirements-bench.lock .venv/requirements-bench.check
	@$(UV) $(LOCK_ALL) --output-file .venv/requirements.check
	@$(UV) $(LOCK_BENCH) --output-file .venv/requirements-bench.check
	@cmp -s requirements.lock .venv/requirements.check && cmp -s requirements-bench.lock .venv/requirements-bench.check \
		|| { echo "a lock file is stale; run: make lock" >&2; exit 1; }

clean: ## Remove .venv and caches; the instance in .warehouse stays
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs

# One word per need. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
# Test by test to whoever is free: they take between a millisecond and a minute.
PYTEST := $(BIN)/pytest --numprocesses=auto --maxschedchunk=1
# The newest Python that really runs here: a pyenv shim may exist for a version that is not installed.
PYTHON := $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: help setup play test soak bench field schemas coverage check format cluster builders tools site lock clean

help: ## list what make can do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "convox-bot needs Python 3.11 or newer"; exit 1; }
	@echo "Installing what convox-bot needs into $(VENV): a minute or two, once."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# The one package without a hash: the tool that checks those of all others (decision 8).
	@$(BIN)/python -m pip install --quiet uv
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements-dev.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/.ready ## install what is missing into .venv

play: setup ## try convox-bot with neither Slack nor a cluster; another beside it: make play STATE=DIR
	@$(BIN)/convox-bot playground $(if $(STATE),--state "$(STATE)")

test: setup ## run every test this machine can run, and say what was left out
	@$(BIN)/python -m tests.prepare
	@$(PYTEST) $(ARGS)

soak: setup ## repeat what only repeats a thousand times, where make test does it often enough to prove it
	@SOAK=1 $(PYTEST) -m "soak or hypothesis" $(ARGS)

bench: setup ## measure what is promised of speed, and print it: make bench TABLES="start fleet" KEEP=1
	@$(BIN)/python -m tests.bench $(if $(KEEP),--keep) $(TABLES)

schemas: setup ## write docs/schemas anew, after a change of the keys of convox.yml or the policy
	@$(BIN)/python -m docs.write_schemas

field: setup ## try a folder of convox.yml files on a real control plane, and print what became of each: make field DIR=…
	@test -n "$(DIR)" || { echo "name a folder of convox.yml files: make field DIR=…"; exit 2; }
	@$(BIN)/python -m tests.field $(DIR) $(if $(ONLY),--only "$(ONLY)")

# Whatever of core nothing waits in: what CONTRIBUTING promises to have every branch tested.
PURE = $(shell grep -rL --include='*.py' 'async \|await ' core | paste -sd,)

coverage: setup ## hold what the tests of core, bot and storage and the recordings reach against what is promised
	@$(BIN)/coverage erase
	@$(BIN)/coverage run $(PYTEST) -q --hypothesis-profile=few -m "not controlplane and not soak" \
		tests/core tests/bot tests/storage tests/recordings tests/docs/test_schemas.py
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --omit='bot/playground/*' --fail-under=95
	@$(BIN)/coverage report --include='$(PURE)' --fail-under=100

check: setup ## format, lint, import directions, types
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports
	@$(BIN)/mypy

format: setup ## format and mend what can be mended
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix . || true

cluster: setup ## obtain a real control plane into the user's cache directory (11 minutes cold)
	@$(BIN)/python -m tests.controlplane.build

tools: setup ## obtain what judges files of its field or works beside the bot (Helm, actionlint, promtool and Prometheus, Litestream) into the user's cache directory
	@$(BIN)/python -m tests.tools.programs

builders: setup ## obtain a real BuildKit into the user's cache directory (3 minutes cold)
	@$(BIN)/python -m tests.builders.build

# An environment of its own: what builds pages has no business beside what runs.
SITE := $(VENV)/site

$(SITE)/.ready: requirements-site.lock | setup
	@test -x $(SITE)/bin/python || $(BIN)/python -m venv --without-pip $(SITE)
	@VIRTUAL_ENV=$(SITE) $(BIN)/uv pip install --quiet --require-hashes -r requirements-site.lock
	@touch $@

site: setup $(SITE)/.ready ## build the pages of docs/ as a site into .site/, without a warning
	@NO_MKDOCS_2_WARNING=true $(SITE)/bin/mkdocs build --strict

lock: setup ## resolve the dependencies anew
	@$(BIN)/uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-header -o requirements.lock -q
	@$(BIN)/uv pip compile pyproject.toml --extra pictures -c requirements.lock --python-version 3.11 --universal --generate-hashes --no-header -o requirements-pictures.lock -q
	@$(BIN)/uv pip compile pyproject.toml --extra otel -c requirements.lock --python-version 3.11 --universal --generate-hashes --no-header -o requirements-otel.lock -q
	@$(BIN)/uv pip compile pyproject.toml --group dev --extra pictures --extra otel -c requirements.lock --python-version 3.11 --universal --generate-hashes --no-header -o requirements-dev.lock -q
	@$(BIN)/uv pip compile --group site --python-version 3.11 --universal --generate-hashes --no-header -o requirements-site.lock -q
	@echo 'hatchling>=1.27' | $(BIN)/uv pip compile - -c requirements-dev.lock --python-version 3.11 --universal --generate-hashes --no-header -o requirements-build.lock -q

clean: ## remove what make has put here
	@rm -rf $(VENV) .playground .site .import_linter_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* tests/conformance/node_modules
	@find . -name .git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

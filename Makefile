# Each command installs what it needs, once; "make" lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Node.js comes with the development packages; like pip it trusts the certificates that the system trusts.
export PATH := $(abspath $(BIN)):$(PATH)
export NODE_USE_SYSTEM_CA := 1

.PHONY: help run install test test-quick test-opencode soak soak-day packages bench lint docs lock clean runtime development python

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

run: runtime ## Serve on http://127.0.0.1:8000 with SQLite and a folder (PORT=8001 for another port)
	@exec deploy/start.sh

install: runtime ## Install what a server needs into .venv

test: packages lint tests/end_to_end/node_modules tests/end_to_end/older/node_modules tests/browser/node_modules tests/render/node_modules ## Run the linters and all tests
	@cd plugin && npm test
	@$(BIN)/python -m pytest --numprocesses auto --dist loadscope

test-quick: development ## Run the tests that start no server, in five minutes
	@TEST_WITHOUT_SERVERS=1 $(BIN)/python -m pytest --quiet --numprocesses auto -m 'not server'

soak: development ## Test with random clients and faults, an hour long (SOAK_SECONDS=60 for each installation)
	@SOAK_SECONDS=$${SOAK_SECONDS:-900} $(BIN)/python -m pytest --quiet --capture=no tests/faults/test_model.py

soak-day: development ## See what two servers hold after a day, in an hour (OPTIONS="--seconds 300 --sessions 20" for less)
	@$(BIN)/python -m benchmarks.day $(OPTIONS)

# Releases of OpenCode on Linux, with the plugin as a server hands it out.
VERSIONS ?= 1.0.185 1.1.34 1.1.65 1.2.1 1.2.12 1.2.20 1.2.27 1.3.0 1.3.2 1.14.34 1.14.41 1.15.0 1.15.4 1.15.13 1.17.0 1.17.11 1.18.3 1.18.33
OPENCODES = $(CURDIR)/$(VENV)/opencode

test-opencode: development ## Test the plugin in eighteen releases of OpenCode, on Linux
	@for version in $(VERSIONS); do \
		npm install --silent --no-save --prefix $(OPENCODES)/$$version opencode-linux-x64-baseline@$$version || exit 1; \
	done
	@OPENCODE_PROGRAMS="$(VERSIONS:%=$(OPENCODES)/%/node_modules/opencode-linux-x64-baseline/bin/opencode)" \
		$(BIN)/python -m pytest --quiet tests/end_to_end/test_plugin_from_server.py

packages: ## Install the system packages that the tests use, on Debian and Ubuntu
	@tests/install-packages.sh

bench: development ## Measure speed and memory (OPTIONS=--help for others)
	@$(BIN)/python -m benchmarks $(OPTIONS)

lint: development plugin/node_modules ## Check formatting, style, types and imports
	@cd plugin && npm run check
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo >$(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }
	@$(BIN)/hadolint Dockerfile

docs: development ## Generate docs/configuration.md
	@$(BIN)/python -m docs

lock: development ## Update the pinned dependencies
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --extra dev --constraints requirements.txt pyproject.toml --output-file requirements-dev.txt

clean: ## Remove what was installed and cached; data/ stays
	@rm -rf $(VENV) plugin/node_modules tests/*/node_modules tests/*/*/node_modules
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path "./data/*" -prune -exec rm -rf {} +

%/node_modules: %/package-lock.json | development
	@echo "Installing into $@"
	@cd $* && npm ci --silent --no-audit --no-fund
	@touch $@

runtime: python
	@$(PYTHON) deploy/install.py requirements.txt

development: python
	@$(PYTHON) deploy/install.py requirements-dev.txt

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Better Share needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python cannot make virtual environments here: apt-get install python3-venv"; exit 1; }

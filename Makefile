# make run · test · test-quick · test-opencode · soak · bench · lint · docs · lock. Each installs what it needs, once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Node.js comes with the development packages; like pip it trusts the certificates that the system trusts.
export PATH := $(abspath $(BIN)):$(PATH)
export NODE_USE_SYSTEM_CA := 1

.PHONY: run install test test-quick test-opencode soak packages bench lint docs lock

run: $(VENV)/runtime
	@exec deploy/start.sh

install: $(VENV)/runtime

test: packages lint tests/end_to_end/node_modules tests/end_to_end/older/node_modules tests/browser/node_modules tests/render/node_modules
	@cd plugin && npm test
	@$(BIN)/python -m pytest --numprocesses auto --dist loadscope

# The tests that start no server, in less than a minute.
test-quick: $(VENV)/development
	@TEST_WITHOUT_SERVERS=1 $(BIN)/python -m pytest --quiet --numprocesses auto -m 'not server'

# Random clients and faults, for a quarter of an hour on each of four installations.
soak: $(VENV)/development
	@SOAK_SECONDS=$${SOAK_SECONDS:-900} $(BIN)/python -m pytest --quiet --capture=no tests/faults/test_model.py

# Releases of OpenCode on Linux, with the plugin as a server hands it out.
VERSIONS ?= 1.1.65 1.2.1 1.2.12 1.2.20 1.2.27 1.3.0 1.3.2 1.14.34 1.14.41 1.15.0 1.15.4 1.15.13 1.17.0 1.17.11 1.18.3 1.18.33
OPENCODES = $(CURDIR)/$(VENV)/opencode

test-opencode: $(VENV)/development
	@for version in $(VERSIONS); do \
		npm install --silent --no-save --prefix $(OPENCODES)/$$version opencode-linux-x64-baseline@$$version || exit 1; \
	done
	@OPENCODE_PROGRAMS="$(VERSIONS:%=$(OPENCODES)/%/node_modules/opencode-linux-x64-baseline/bin/opencode)" \
		$(BIN)/python -m pytest --quiet tests/end_to_end/test_plugin_from_server.py

packages:
	@tests/install-packages.sh

bench: $(VENV)/development
	@$(BIN)/python -m benchmarks

lint: $(VENV)/development plugin/node_modules
	@cd plugin && npm run check
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo >$(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }
	@$(BIN)/hadolint Dockerfile

docs: $(VENV)/development
	@$(BIN)/python -m docs

lock: $(VENV)/development
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --extra dev --constraints requirements.txt pyproject.toml --output-file requirements-dev.txt

$(VENV)/runtime: requirements.txt | $(BIN)/python
	@echo "Installing into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@touch $@

$(VENV)/development: requirements-dev.txt | $(BIN)/python
	@echo "Installing into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

%/node_modules: %/package-lock.json | $(VENV)/development
	@echo "Installing into $@"
	@cd $* && npm ci --silent --no-audit --no-fund
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Better Share needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python cannot make virtual environments here: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

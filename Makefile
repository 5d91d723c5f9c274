# Tradeloop. `make help` lists what can be asked; every target may be run again at any time.
# Needs git, make and Python 3.11 or newer; everything else is installed into .venv.

SHELL   := /bin/bash
BIN     := .venv/bin
STAMP   := .venv/.installed
# Many tests wait for real processes: four workers keep two cores busy.
WORKERS ?= 4
KILLS   ?= 200
SEEDS   ?= 200
EXAMPLES ?= 5000
FROM    ?= 0
PYTHONS ?= python3.13 python3.12 python3.11 python3

.DEFAULT_GOAL := help
.PHONY: help setup run desk web test crash laws lint fmt bench prove check clean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A .venv that was made in another folder still points there: it is made anew.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

setup: $(STAMP)  ## install everything into .venv (does nothing when up to date)

# The stamp is younger than pyproject.toml exactly when .venv holds what pyproject.toml asks for.
$(STAMP): pyproject.toml
	@python=; \
	for candidate in $(PYTHONS); do \
	    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	        python=$$candidate; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "make: expected Python 3.11 or newer as one of: $(PYTHONS); was: $$(python3 --version 2>&1 || true)." >&2; \
	    echo "make: install it (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python)" \
	         "or name one: make setup PYTHONS=/path/to/python3" >&2; \
	    exit 1; \
	fi; \
	if [ "$$(cat $(STAMP) 2>/dev/null)" != '$(CURDIR)' ] || \
	    ! $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    if ! "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	        echo "make: $$python has no venv and pip modules; on Debian and Ubuntu: apt install python3-venv" >&2; \
	        exit 1; \
	    fi; \
	    echo "making .venv with $$("$$python" --version)"; \
	    "$$python" -m venv --clear .venv || exit 1; \
	fi
	@echo "installing tradeloop and its tools into .venv (a minute or two the first time)"
	@set -o pipefail; \
	if ! $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' \
	    2> >(grep -v -e 'is ignored:' -e 'Location .* is ignored' >&2); then \
	    echo "make: the packages could not be installed, see above; the first installation needs a network or a package" \
	         "index that pip can reach (PIP_INDEX_URL, or a proxy in HTTPS_PROXY), and some 300 MB of disk" >&2; \
	    exit 1; \
	fi
	@echo '$(CURDIR)' > $(STAMP)

run: setup  ## trade the demo portfolio on the paper broker, to the end
	$(BIN)/tradeloop run --demo

desk: setup web  ## serve the desk on 127.0.0.1:8003, on a paper account that trades the demo portfolio
	$(BIN)/tradeloop up --demo

# The build of the page stands in web/build_hook.py and does nothing while no source has changed; Node comes from the machine, or
# else as a wheel. Without a registry there is no page, and everything else works.
web: setup  ## build the page of the desk, where its sources have changed
	@$(BIN)/python web/build_hook.py

test: setup  ## every test that can run on this machine
	$(BIN)/python -m pytest -n $(WORKERS)

crash: setup  ## kill the program KILLS times while it trades at a venue in another process
	TRADELOOP_TEST_CRASH_ABROAD_KILLS=$(KILLS) $(BIN)/python -m pytest tests/crash/test_kill_abroad.py -s

laws: setup  ## ask the API EXAMPLES odd requests made out of its document
	TRADELOOP_TEST_LAWS_EXAMPLES=$(EXAMPLES) TRADELOOP_TEST_LAWS_SECONDS=3600 $(BIN)/python -m pytest tests/api/test_laws_of_the_document.py

lint: setup  ## style, types and the import rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: setup  ## format, and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup  ## measure, and print the figures beside the ones to reach
	$(BIN)/python -m benchmarks

prove: setup  ## live SEEDS simulated worlds from seed FROM on, with every fault of the list, and judge them
	$(BIN)/python -m tradeloop.testing.prove --seeds $(SEEDS) --from $(FROM) --jobs $(WORKERS)

check: lint test  ## what continuous integration runs

clean:  ## remove .venv and every cache
	rm -rf .venv build dist web/node_modules src/tradeloop/web .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

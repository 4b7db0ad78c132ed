# Everything happens in .venv; nothing outside this folder is touched.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# Each worker of the tests, and each ktui that they start, would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo run test unit ui cluster lint types doors snapshots screenshots keys bench clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "ktui needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)"; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ktui needs Python 3.11 or newer; try: make PYTHON=python3.12"; rm -rf .venv; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

install: $(STAMP) ## install ktui and its tools into .venv

demo: $(STAMP) ## open ktui on the embedded cluster; nothing else is needed
	@$(BIN)/ktui --demo

run: $(STAMP) ## open ktui on the current kubeconfig context
	@$(BIN)/ktui

test: lint ## everything that needs no real cluster: lint, types, doors, all tests
	@$(MAKE) --no-print-directory types doors >.venv/checks.log 2>&1 & checks=$$!; \
	$(BIN)/pytest -n 6 --dist worksteal tests; tested=$$?; \
	wait $$checks; checked=$$?; cat .venv/checks.log; exit $$((tested || checked))

unit: $(STAMP) ## the unit tests alone
	$(BIN)/pytest tests/unit

ui: $(STAMP) ## the tests of the screens alone
	$(BIN)/pytest -n 4 tests/ui

cluster: $(STAMP) ## the conformance tests; KTUI_TEST_KUBECONFIG adds a real cluster
	$(BIN)/pytest tests/cluster

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

doors: $(STAMP)
	$(BIN)/lint-imports

snapshots: $(STAMP) ## accept what the screens look like now; then look at the diff
	$(BIN)/pytest -n 4 tests/ui --snapshot-update

screenshots: $(STAMP) ## draw screenshots/ anew from the embedded cluster
	$(BIN)/python screenshots/take.py

keys: $(STAMP) ## write docs/keys.md and the README's table of keys anew, from the program itself
	$(BIN)/python docs/keys.py

bench: $(STAMP) ## timings, as ratios in one run; KTUI_BENCH_KUBECONFIG names a cluster
	$(BIN)/python -m benchmarks

clean: ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

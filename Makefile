# Every target sets up what it needs; a second run installs nothing. `make help` lists the targets.
#
# PYTHON    the interpreter that makes the environment, 3.10 or newer
# VENV      where the environment lies
# DATASET   what `make demo` learns
# BUDGET_S  the time budget of `make demo`, seconds
# DATA      for `make bench`: a folder of datasets in AutoDL format
# WORKERS   how many processes share the files of `make test`

PYTHON ?= python3
VENV ?= .venv
DATASET ?= sample_data/digits
BUDGET_S ?= 20
DATA ?=
WORKERS ?= 2

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BUNDLE := build/submission

.DEFAULT_GOAL := help
.PHONY: help demo setup test test-all check bench bench-smoke submission clean

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED) ## learn a sample dataset, print the ALC and where the page is
	$(BIN)/python run_local_test.py -dataset_dir="$(DATASET)" -code_dir=. -time_budget=$(BUDGET_S)

setup: $(INSTALLED) ## make the environment and install everything

# One environment for all targets, so that what is tested is what runs. The stamp comes last: a broken install is repeated.
$(INSTALLED): setup.cfg pyproject.toml
	@echo 'Installing into $(VENV), once; PyTorch takes some minutes.'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable ".[kit,dev,bench]"
	touch "$@"

# Each process works in one thread, else they wait for each other. A file stays in one process: its tests share fixtures.
# Bytecode is kept even where the environment forbids it: tests start some hundred interpreters, each would compile again.
test: $(INSTALLED) ## run the fast tests
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" --numprocesses=$(WORKERS) --dist=loadfile

test-all: $(INSTALLED) ## run all tests
	$(BIN)/python -m pytest

check: $(INSTALLED) ## lint, formatting, types, architecture
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest --quiet tests/test_architecture.py tests/test_imports.py tests/test_readme.py

bench: $(INSTALLED) ## measure reading and writing; needs DATA=folder
	@test -d "$(DATA)" || { echo 'make bench needs DATA, a folder of datasets in AutoDL format, however DATA="$(DATA)" is no folder; name one' >&2; exit 2; }
	$(BIN)/python benchmarks/reading.py --data "$(DATA)"
	$(BIN)/python benchmarks/prediction_writing.py

bench-smoke: $(INSTALLED) ## three datasets, three systems, a few seconds each: does the benchmark work?
	$(BIN)/python benchmarks/run.py --datasets digits docstring_sections breast_cancer \
		--systems autodl_solver prior sklearn_extra_trees --redo autodl_solver prior sklearn_extra_trees \
		--no-venvs --protocol smoke --out output/bench-smoke

# A submission is model.py and the package, and nothing that a run leaves behind. Needs no environment.
submission: ## pack submission.zip for the challenge
	rm -rf $(BUNDLE) submission.zip
	mkdir -p $(BUNDLE)
	cp -R model.py LICENSE autodl_solver $(BUNDLE)
	find $(BUNDLE) -name __pycache__ -prune -exec rm -r {} +
	cd $(BUNDLE) && $(PYTHON) -m zipfile -c ../../submission.zip model.py LICENSE autodl_solver

clean: ## remove what runs leave behind; the environment stays
	rm -rf build dist output submission.zip *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -r {} +

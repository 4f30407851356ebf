# Everything a fresh machine needs, behind two commands: `make paper` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
DOCS := .venv-docs
BIN := $(VENV)/bin
STUDY ?= config/config.yaml
export PATH := $(CURDIR)/$(BIN):$(PATH)
# One BLAS/OpenMP thread a process unless a rule says otherwise: processes are how the pipeline uses cores.
export OMP_NUM_THREADS ?= 1

PROCESSES := -n logical --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup latex paper all answer test test-slow test-slurm test-tfds lint schema benchmarks report explorer rules docs gpu-check verify clean

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## Create .venv with the pinned packages and this package

$(VENV)/.ready: requirements.txt pyproject.toml
	bash workflow/install/python.sh "$(PYTHON)" "$(VENV)"
	touch $@

latex: ## Install LaTeX from the distribution where it is missing
	@bash workflow/install/latex.sh

paper: setup latex ## Run the study and build paper/main.pdf (STUDY=config/NAME.yaml for another)
	$(BIN)/snakemake paper/main.pdf --configfile $(STUDY)

all: setup latex ## Everything of the study: paper, animations, checkpoints, receipts
	$(BIN)/snakemake --configfile $(STUDY)

answer: setup latex ## The paper of the study on real digits, from its shipped archive: build/answer/paper/main.pdf; trains nothing
	@bash workflow/install/answer.sh paper/reference/mnist.tar.gz config/mnist.yaml build/answer

test: setup latex lint ## Style, types, unit and rule tests, and the tiny study to a PDF
	$(BIN)/pytest $(PROCESSES)

test-slow: setup latex $(DOCS)/.ready ## The tests that take minutes, some on emulated processors; not the one on SLURM
	@bash workflow/install/emulator.sh
	$(BIN)/pytest -m slow $(PROCESSES)

test-slurm: setup latex ## A study through a real SLURM on this machine, jobs ended midway; no other target runs it (10 minutes)
	@bash workflow/install/slurm.sh $(if $(ACCOUNTING),accounting)
	WHATMOVES_SLURM=$(if $(ACCOUNTING),accounting,1) $(BIN)/pytest -m slow tests/workflow/test_real_slurm.py

test-tfds: setup ## Our readers beside tensorflow-datasets, in an environment of its own with TensorFlow; no other target runs it
	@bash workflow/install/tfds.sh $(BIN)/python .venv-tfds
	WHATMOVES_TFDS=1 $(BIN)/pytest -m slow tests/formats

lint: setup
	$(BIN)/ruff check src tests benchmarks notebooks workflow
	$(BIN)/ruff format --check src tests benchmarks notebooks workflow
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

schema: setup ## Write what is made from types, cards and pins again: config/schema.json, config/README.md, a table, environment.yml
	$(BIN)/python -m whatmoves.schema
	$(BIN)/python workflow/install/environment.py

rules: setup ## Draw the picture of the rules in docs/rules.md again
	graph=$$($(BIN)/snakemake --rulegraph mermaid-js | grep '^.id' | sort -V) && \
	    page=$$(sed '/^flowchart/q' docs/rules.md) && printf '%s\n' "$$page" "$$graph" '```' > docs/rules.md

benchmarks: setup ## Speed against the libraries one would otherwise use, as ratios; writes the tables of docs/performance.md
	missed=; for script in $(filter-out benchmarks/rows.py,$(sort $(wildcard benchmarks/*.py))); do \
	    $(BIN)/python "$$script" || missed="$$missed $$script"; done; \
	    $(BIN)/python benchmarks/rows.py; if [ -n "$$missed" ]; then echo "missed:$$missed" >&2; exit 1; fi

report: all ## One file to click through, results/report.zip: figures, animations, numbers, times, code; makes what is missing
	$(BIN)/snakemake --report results/report.zip --configfile $(STUDY)

explorer: setup ## A folder to open in a browser, results/<study>/explorer: swaps, sliders, strips, tables, verdicts
	$(BIN)/snakemake explorer --configfile $(STUDY)

docs: $(DOCS)/.ready ## The documentation as a site, build/site (python3 -m http.server -d build/site, for its search)
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict

$(DOCS)/.ready: docs/requirements.txt
	bash workflow/install/docs.sh "$(PYTHON)" "$(DOCS)"
	touch $@

gpu-check: setup ## What a GPU does with every model (9 minutes; needs one, and a PyTorch for CUDA)
	$(BIN)/whatmoves gpu-check

verify: setup ## Do the results belong to the code, settings and data in this tree?
	$(BIN)/whatmoves verify --configfile $(STUDY)

clean: ## Remove what a run leaves apart from results: caches and logs
	rm -rf .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis logs

# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
BASE := $(VENV)/.base-installed
DEV := $(VENV)/.dev-installed
DOCS := $(VENV)/.docs-installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo downstream downstream-endoscopy downstream-ultrasound bundles weights docs test lint bench clean

ifneq ($(filter-out 0 1,$(FROM_SCRATCH)),)
$(error FROM_SCRATCH is 1 (start from nothing) or 0 (start from the shipped weights), not "$(FROM_SCRATCH)")
endif

help:
	@echo 'make demo                  sample clips from the shipped weights, then train on procedural clips'
	@echo '  DATA="folder of clips"   fine-tune on your clips instead'
	@echo '  FROM_SCRATCH=1           start from nothing instead of from the shipped weights'
	@echo '  MODALITY=ultrasound      which bundle: endoscopy or ultrasound'
	@echo '  MINUTES=1                time to train; 5 by itself'
	@echo '  OUT="folder"             where the results go'
	@echo 'make downstream            do synthetic clips help? two small studies on procedural patients, 20 minutes'
	@echo 'make bundles               build bundles/<name> from bundles/source'
	@echo 'make weights               train what a bundle ships; MODALITY as above; goes on where it was stopped; 3 hours'
	@echo 'make docs                  build the site into build/site; fails on a dead link'
	@echo 'make test                  run the tests; ARGS="tests/ops -k wkv" narrows them'
	@echo 'make lint                  ruff and mypy'
	@echo 'make bench                 measure speed and memory'
	@echo 'make clean                 remove .venv, caches and build leftovers (never results)'
	@echo 'PYTHON=python3.12 in front of or behind any of them picks the interpreter of a new .venv.'

# DATA, MODALITY, MINUTES and OUT reach the shell as environment variables, so that blanks and quotes are safe.
export DATA MODALITY MINUTES OUT
demo: $(BASE)
	@$(RUN) -m monai_feat demo $${DATA:+--data "$$DATA"} $${MODALITY:+--modality "$$MODALITY"} \
		$${MINUTES:+--minutes "$$MINUTES"} $${OUT:+--out "$$OUT"} $(if $(filter 1,$(FROM_SCRATCH)),--from-scratch)

# Two studies at the same time, each on one core; the same command goes on where it was stopped.
downstream: $(BASE)
	@$(MAKE) --no-print-directory -j2 downstream-endoscopy downstream-ultrasound

downstream-endoscopy downstream-ultrasound: downstream-%: $(BASE)
	@OMP_NUM_THREADS=1 $(RUN) -m downstream downstream/studies/$*.yaml --out runs/downstream/$* --quiet

bundles: $(BASE)
	@$(RUN) -m bundles.build

weights: $(BASE)
	@OMP_NUM_THREADS=1 $(RUN) -m bundles.weights $${MODALITY:+--modality "$$MODALITY"} $${OUT:+--out "$$OUT"}

docs: $(DOCS)
	@NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build

# Each process has one thread: with more, processes on busy cores wait for each other.
test: $(DEV)
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -n auto --dist loadfile $(ARGS)

lint: $(DEV)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

bench: $(BASE)
	@OMP_NUM_THREADS=1 $(RUN) -m tests.bench
	@OMP_NUM_THREADS=1 $(RUN) -m tests.bench.operators
	@$(RUN) -m tests.bench.feeding
	@$(RUN) -m tests.bench.readers

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last, so an interrupted installation is taken up again by the next call.
$(BASE): setup.py pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || \
		{ echo 'monai-feat needs Python 3.10 or newer, and there is no "$(PYTHON)" here: name yours as PYTHON=…' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "monai-feat needs Python 3.10 or newer, but $(PYTHON) is $$($(PYTHON) -V 2>&1): name a newer one as PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'this Python cannot create environments: install its venv module (Debian, Ubuntu: apt-get install python3-venv)' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install -c constraints.txt -e .
	@touch $@

$(DEV): $(BASE)
	$(RUN) -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

$(DOCS): $(BASE)
	$(RUN) -m pip install --quiet -c constraints.txt -e '.[docs]'
	@touch $@

# make demo   sets everything up, then compiles, emulates and validates an example
# make test   sets everything up, then runs every check and test
#
# Both install what is missing, into .venv and through apt where that is possible; where it is not,
# they stop with the line to run. Nothing is done twice: run them as often as you like.

VENV := .venv
PYTHON := $(VENV)/bin/python
BOARD ?= mps2-an386
MODEL ?= examples/digits/digits.tflite
# What `make bench` measures: the MLPerf Tiny models where they lie beside the checkout.
MLPERF := $(wildcard $(foreach name,ic_resnet8 vww_mbv1_96 kws_dscnn ad_ae, \
	../shared/models/tflite/mlperf_$(name)_int8.tflite))
MODELS ?= $(or $(MLPERF),$(MODEL))
# What other tools take for them.
BASELINE ?= $(wildcard ../shared/baselines.json)
BOARDS ?= mps2-an385-m0 mps2-an385 mps2-an386 mps2-an500 mps2-an505 mps3-an547 qemu-rv32imc qemu-lx106

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# How long `make nightly` goes on with each of the three that have no end, and from which seed.
NIGHTLY_MINUTES ?= 60
NIGHTLY_SEED ?= $(shell date +%Y%m%d)000

.DELETE_ON_ERROR:
.PHONY: help setup demo test nightly operators lint format boards-table bench doctor clean tools test-tools FORCE

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: tools ## set up, then compile, emulate and validate the example model (BOARD=..., MODEL=...)
	$(PYTHON) -m tinygen test $(MODEL) --board $(BOARD)

test: lint test-tools ## set up, then run every check and every test
	$(PYTHON) -m pytest -n auto --dist worksteal firmware_tests

lint: $(VENV)/.installed-dev ## style and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

format: $(VENV)/.installed-dev ## rewrite the Python files in the house format
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

boards-table: lint test-tools ## run the tests that prove something of a board, and write docs/boards.md
	$(PYTHON) -m pytest -n auto --dist worksteal --write-tiers firmware_tests

nightly: test-tools ## all cases, models and cores; then cases, graphs and files at random (NIGHTLY_MINUTES=60 of each)
	TINYGEN_EVERY_CORE=1 $(PYTHON) -m pytest -n auto --dist worksteal --whole \
		firmware_tests/emulated/test_kernel_battery.py firmware_tests/golden
	$(PYTHON) -m firmware_tests.conformance --cases 200 --write
	$(PYTHON) -m firmware_tests.conformance --cases 20 --board all --write
	$(PYTHON) -m firmware_tests.conformance --cases 25 --minutes $(NIGHTLY_MINUTES) --seed $(NIGHTLY_SEED)
	$(PYTHON) -m firmware_tests.models.random_graphs --minutes $(NIGHTLY_MINUTES) --seed $(NIGHTLY_SEED)
	$(PYTHON) -m firmware_tests.fuzzing --minutes $(NIGHTLY_MINUTES) --seed $(NIGHTLY_SEED)
	$(MAKE) operators

operators: $(VENV)/.installed-dev ## write docs/operators.md, and its types into tinygen/conformance.json
	$(PYTHON) -m firmware_tests.conformance --cases 0 --write
	$(PYTHON) -m tinygen ops --markdown > docs/operators.md

bench: test-tools ## measure models on boards (MODELS="a.tflite b.tflite" BOARDS="...")
	$(PYTHON) -m tinygen bench $(MODELS) $(addprefix --board ,$(BOARDS)) $(addprefix --baseline ,$(BASELINE))
	$(PYTHON) -m tinygen bench $(MODELS) --board $(BOARD) --optimize size $(addprefix --baseline ,$(BASELINE))
	$(PYTHON) firmware_tests/benchmarks/generate_seconds.py $(MODELS)

doctor: $(VENV)/.installed ## list the tools: here or not, version, how to install
	$(PYTHON) -m tinygen doctor

setup: $(VENV)/.installed-dev test-tools ## only set up: virtual environment, packages, compilers, emulator
	$(PYTHON) -m tinygen doctor

clean: ## remove what make created (system packages stay)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis examples/embed/build

# The programs outside Python. Looking is quick, so it is done every time.
tools test-tools: $(VENV)/.installed
	@sh .ci/setup $@ $(PYTHON)

# Stamps live in the virtual environment: they go when it goes.
$(VENV)/.installed: pyproject.toml $(VENV)/pyvenv.cfg
	$(PYTHON) -m pip install -q -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PYTHON) -m pip install -q -e '.[dev]'
	@touch $@

# A virtual environment whose Python is gone, as after an upgrade of the system, is made anew.
$(VENV)/pyvenv.cfg: $(shell test -x $(PYTHON) || echo FORCE)
	sh .ci/setup venv $(VENV)

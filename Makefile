# What a person types. Each target is one line of a readable script in scripts/.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help up test quick lint chaos reliability lock clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

up: $(VENV)/run.stamp ## the whole shop in one process; ARGS="--port 8471 …" are clerk up's options
	@exec $(PY) scripts/foreground.py $(VENV)/bin/clerk up $(ARGS)

test: $(VENV)/dev.stamp ## everything that is checked: lint, types, unit tests, scenarios embedded and on real servers
	@exec $(PY) scripts/run_tests.py $(ARGS)

quick: $(VENV)/dev.stamp ## for everyday work: ruff, mypy, and the unit tests that are quick
	@exec $(PY) scripts/run_tests.py quick

lint: $(VENV)/dev.stamp ## ruff and mypy
	@exec $(PY) scripts/run_tests.py lint

chaos: $(VENV)/dev.stamp ## faults without end, for MINUTES (30), against private servers under load; ARGS="--seed 7"
	@exec $(PY) scripts/foreground.py $(abspath $(PY)) scripts/chaos.py --minutes $(or $(MINUTES),30) $(ARGS)

reliability: $(VENV)/dev.stamp ## docs/reliability.md from its recordings; ARGS=record plays everything first (hours)
	@exec $(PY) scripts/reliability.py $(ARGS)

lock: ## write requirements.lock and requirements-dev.lock anew; ARGS=--upgrade takes newer versions
	@exec $(PYTHON) scripts/lock.py $(ARGS)

clean: ## remove the virtual environment and caches; the shop's data (.clerk) stays
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/run.stamp: requirements.lock scripts/environment.py
	@$(PYTHON) scripts/environment.py run

$(VENV)/dev.stamp: requirements-dev.lock scripts/environment.py
	@$(PYTHON) scripts/environment.py dev

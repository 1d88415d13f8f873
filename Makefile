# Two commands set everything up on a machine that has only Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check clean

demo: $(VENV)/.installed
	$(BIN)/tvir compare vae gan unbalanced-gan --data digits --budget 30s --seeds 3 --out runs/demo

test: $(VENV)/.installed-test
	$(BIN)/pytest -n auto --durations=10

# Style, types and layers: what CI asks besides the tests.
check: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	# Only for parity tests, which are skipped without them; their dependencies would bring another torch along.
	-$(BIN)/python -m pip install --quiet --no-deps torchvision==0.28.0 torch-fidelity==0.4.0
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache

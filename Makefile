# Works with BSD make and GNU make: no conditionals, no pattern rules, no functions.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ARGS ?=
# How many tests run at once; 0 runs them in this process, for a debugger.
JOBS ?= 2
HOOK_PYTHON ?= /usr/bin/env python3

all: run

venv: $(VENV)/installed

run: venv
	$(BIN)/leasehold database upgrade
	$(BIN)/leasehold subnet sample --if-empty
	$(BIN)/leasehold serve $(ARGS)

test: $(VENV)/installed-for-tests
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

lint: $(VENV)/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/mypy

fuzz: $(VENV)/installed-for-tests
	LEASEHOLD_FUZZ=2000 $(BIN)/python -m pytest tests/service/test_api_fuzz.py $(ARGS)

bench: venv
	$(BIN)/python -m bench $(ARGS)

# One file that a guest host needs, besides Python 3.11: built without the virtual environment.
hook:
	rm -rf build/hook
	mkdir -p build/hook
	cp -R hooks build/hook/hooks
	find build/hook -name __pycache__ -type d -prune -exec rm -rf {} +
	printf 'import sys\n\nfrom hooks.main import main\n\nsys.exit(main())\n' > build/hook/__main__.py
	$(PYTHON) -m compileall -q -b --invalidation-mode unchecked-hash build/hook
	$(PYTHON) -m zipapp build/hook --compress --python '$(HOOK_PYTHON)' --output leasehold-hook.pyz
	chmod 755 leasehold-hook.pyz
	rm -rf build/hook

docs: venv
	$(BIN)/leasehold config reference > docs/settings.md
	$(BIN)/leasehold config access > docs/access.md
	$(BIN)/leasehold config sample --force --directory config

clean:
	rm -rf $(VENV) build dist *.egg-info leasehold-hook.pyz .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Leasehold needs Python 3.11 or newer; call make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $(VENV)/installed

$(VENV)/installed-for-tests: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $(VENV)/installed-for-tests

.PHONY: all venv run test lint fuzz bench hook docs clean

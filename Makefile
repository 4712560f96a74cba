# Two commands from a clone: `make demo` shows the system at work, `make test` checks it.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-containers test-faults lint audit unit install lock image clean

demo: install
	$(BIN)/langnghe demo

test: lint
	$(BIN)/pytest -m "not containers" -n 2 --dist loadgroup

test-containers: install
	$(BIN)/pytest tests/containers -m containers

test-faults: install
	$(BIN)/python -m tests.faults

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

# Needs a network, which asks for known vulnerabilities.
audit: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements.lock

unit: install
	$(BIN)/pytest tests/unit tests/contracts

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --extra local --extra dev --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --constraint requirements.lock --custom-compile-command "make lock" pyproject.toml \
	  -o deploy/containers/image.lock
	echo 'setuptools>=80' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --constraint requirements.lock --custom-compile-command "make lock" \
	  - -o deploy/containers/build.lock

image:
	docker build --tag langnghe:0.1.0 .

clean:
	rm -rf .venv .langnghe build dist *.egg-info

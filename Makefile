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

lint: install .audit/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/python -m tests.release.secrets
	$(BIN)/python -m tests.release.audit .audit/bin/pip-audit

# As lint asks, and fails also where the service of vulnerabilities could not be asked.
audit: install .audit/installed
	LANGNGHE_REQUIRE=audit $(BIN)/python -m tests.release.audit .audit/bin/pip-audit

# Apart from the tests, which need none of the packages that it brings along.
.audit/installed: tests/release/audit.lock
	$(PYTHON) -m venv .audit
	.audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/release/audit.lock
	touch $@

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
	echo 'pip-audit>=2.10' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --constraint requirements.lock --custom-compile-command "make lock" \
	  - -o tests/release/audit.lock

image:
	docker build --tag langnghe:0.1.0 .

clean:
	rm -rf .venv .audit .langnghe build dist *.egg-info

# Two commands: `make demo` shows a live show, `make test` proves it. `make install` alone prepares .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help install demo test lint types unit browser nightly lock clean

help:
	@echo "make demo     a running show with a synthetic host and buyers, on http://127.0.0.1:8080/live/demo"
	@echo "make test     linters, types, all tests, browser tests included"
	@echo "make nightly  the long rounds: fault runs, simulation seeds, soak"
	@echo "make lock     resolve the dependencies again into requirements*.lock"

install: $(STAMP)

$(STAMP): requirements.lock requirements-dev.lock pyproject.toml hatch_build.py $(wildcard livecommerce/media/compiled/*.[ch])
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: install
	$(BIN)/livecommerce demo

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

test: install lint types
	bash scripts/chromium.sh
	bash scripts/postgres.sh
	bash scripts/redis.sh
	bash scripts/nginx.sh
	bash scripts/caddy.sh
	$(BIN)/python scripts/run_tests.py

nightly: install
	bash scripts/chromium.sh
	bash scripts/postgres.sh
	bash scripts/redis.sh
	bash scripts/nginx.sh
	bash scripts/caddy.sh
	bash scripts/firefox.sh
	bash scripts/coturn.sh
	bash scripts/iproute2.sh
	$(BIN)/python -m pytest -m "nightly" --timeout 3600

lock:
	test -x $(BIN)/pip-compile || $(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --extra dev --extra postgres --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) data

# make run       set up and open the app on the embedded backend
# make test      set up and pass every check and test
# make coverage  the unit tests once more, with the share of branches that they run, and its floor
# make check     format, lint, types, imports: no test
# make lock      pin what make test installs, with hashes
PYTHON ?= python3
BIN = .venv/bin
PORT ?= 8501
unexport PYTHONDONTWRITEBYTECODE  # else every process compiles its imports again, which takes seconds

.PHONY: run test coverage check lock screenshots clean

run: .venv/app
	$(BIN)/scones run --port $(PORT)

test: .venv/dev check
	sh tests/ensure_chromium.sh
	$(BIN)/python -m pytest -q -n 4 --dist worksteal --durations=15 tests/unit
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --durations=15 tests/e2e tests/contract

coverage: .venv/dev
	$(BIN)/python -m pytest -q -n 4 --dist worksteal tests/unit --cov

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

screenshots: .venv/dev
	$(BIN)/python docs/take_screenshots.py

lock: .venv/uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url requirements-dev.txt --output-file requirements-dev.lock

.venv/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: set PYTHON=…")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip uv
	touch $@

.venv/app: .venv/uv pyproject.toml
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --editable .
	touch $@

.venv/dev: .venv/uv pyproject.toml requirements-dev.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --requirement requirements-dev.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --editable .
	touch .venv/app $@

clean:
	rm -rf .venv .scones

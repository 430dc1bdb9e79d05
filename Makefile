# make run    set up and open the app on the embedded backend
# make test   set up and pass every check and test
# make check  format, lint, types, imports: no test
PYTHON ?= python3
BIN = .venv/bin
PORT ?= 8501

.PHONY: run test check screenshots clean

run: .venv/app
	$(BIN)/streamlit run streamlit_app.py --server.port $(PORT) --server.headless false --server.showEmailPrompt false

test: .venv/dev check
	sh tests/ensure_chromium.sh
	$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/unit
	$(BIN)/python -m pytest -q -n 3 --dist loadfile tests/e2e tests/contract

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

screenshots: .venv/dev
	$(BIN)/python docs/take_screenshots.py

.venv/app: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: set PYTHON=…")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.txt
	touch $@

.venv/dev: .venv/app requirements-dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt
	touch $@

clean:
	rm -rf .venv .scones

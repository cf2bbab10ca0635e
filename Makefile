# Two commands: `make demo` and `make test`. Both set up .venv first, once; both need only Python 3.11+, git and make.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: demo test bench check

demo: $(STAMP)
	@$(BIN)/safelight demo

test: $(STAMP) check
	@$(BIN)/python -m pytest -q -n logical --maxprocesses 4 --dist worksteal

check: $(STAMP)
	@$(BIN)/ruff check projects engine tui tests setup_env.py
	@$(BIN)/ruff format --check projects engine tui tests setup_env.py
	@$(BIN)/mypy projects engine tui
	@$(BIN)/lint-imports --no-logo

bench: $(STAMP)
	@$(BIN)/safelight bench

$(STAMP): pyproject.toml constraints.txt setup_env.py
	@$(PYTHON) setup_env.py

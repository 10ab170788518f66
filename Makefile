# Each target sets up what it needs: `make run` on a fresh clone is enough. When set up, the check takes no time.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
WORKERS ?= 2
TOOLS := tests/javascript/node_modules
TOOLS_STAMP := $(TOOLS)/.ready
BIOME := $(BIN)/node $(TOOLS)/@biomejs/biome/bin/biome check --config-path=tests/javascript/rules.jsonc --error-on-warnings
TSC := $(BIN)/node $(TOOLS)/typescript/bin/tsc -p tests/javascript

.PHONY: run test check fix demo bench clean setup lock dist
.DEFAULT_GOAL := run

run: $(STAMP)  ## opens the built-in workspace in the browser (ARGS="--port 0", say)
	@$(BIN)/python app.py $(ARGS)

test: $(STAMP)  ## all tests; those in a browser are skipped, loudly, where Chromium is missing
	@$(MAKE) --no-print-directory $(TOOLS_STAMP) || echo "NPM FETCHED NOTHING: THE BROWSER CODE'S UNIT TESTS ARE SKIPPED" >&2
	@command -v chromium chromium-browser google-chrome >/dev/null || echo "CHROMIUM IS MISSING: THE PAGES GO UNTESTED (apt-get install chromium)" >&2
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP)  ## style, types, imports one way, no file above 400 lines; the browser code too, loudly not where npm reaches no registry
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/house.py
	$(BIN)/python tests/licences.py
	$(BIN)/python tests/advisories.py
	@$(MAKE) --no-print-directory $(TOOLS_STAMP) || { echo "NPM FETCHED NO BIOME: THE BROWSER CODE GOES UNCHECKED" >&2; test -z "$$CI"; }
	test ! -e $(TOOLS_STAMP) || { $(BIOME) && $(TSC); }

fix: $(STAMP)  ## what the linter and the formatter mend by themselves
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@$(MAKE) --no-print-directory $(TOOLS_STAMP)
	$(BIOME) --write

demo: $(STAMP)  ## turns the loop once on the built-in parts; the last line of output is JSON
	@$(BIN)/mistakebook demo

bench: $(STAMP)  ## measures what the README and docs/log.md state
	@for script in benchmarks/*.py; do echo "== $$script" >&2; HF_HUB_OFFLINE=1 $(BIN)/python -m benchmarks.$$(basename $$script .py) || exit 1; done

dist: $(STAMP)  ## a wheel with its bill of materials, in dist/
	rm -rf dist build/lib build/bdist* && $(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist .
	$(BIN)/python tests/sbom.py dist/*.whl

setup: $(STAMP)

lock:  ## writes requirements.lock anew, from a clean environment, and npm's lock from tests/javascript/package.json
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet $(if $(TORCH),torch==$(TORCH),"$$(grep '^torch==' requirements.lock)")
	build/lock/bin/python tests/house.py needed > build/needed.txt && build/lock/bin/pip install --quiet -r build/needed.txt
	build/lock/bin/pip check
	(grep '^#' requirements.lock; build/lock/bin/pip freeze --all --exclude pip | sed 's/+[a-z0-9]*$$//') > build/lock.txt && mv build/lock.txt requirements.lock
	build/lock/bin/npm --prefix tests/javascript install --package-lock-only && sed -i '/"funding": {/,/}/d' tests/javascript/package-lock.json

# torch first: its own version decides which build fits this machine; then exactly what is locked; then this project, as it stands here.
$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "setting up .venv (about 2 GB, some minutes; only once)" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' requirements.lock)" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . >&2
	@touch $(STAMP)

$(TOOLS_STAMP): tests/javascript/package-lock.json | $(STAMP)
	@echo "fetching what checks the browser code (about 130 MB; only once)" >&2
	@$(BIN)/npm --prefix tests/javascript --loglevel=error ci >&2
	@touch $@

clean:  ## removes the virtual environment and caches; workspaces stay
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache build dist *.egg-info $(TOOLS)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

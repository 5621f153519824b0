# Everything a developer runs. Each target first makes what it needs in .venv: the first run of a
# target takes minutes, later ones are quick. The C++ runtime is rebuilt when its sources change.
#
#   make demo      train the tutorial's logistic regression on real data, and draw it
#   make quick     what to run after every edit: check, one case of each operation, whole programs
#   make test      the gate                (make test ARGS="tests/base -x")
#   make test-all  what the gate leaves out; started again, it goes on where it was stopped
#   make check     lint, format, types, layers: seconds
#   make bench     the table of speeds     (make bench ARGS="--only call")
#   make docs      the reference pages, into docs/reference
#   make site      the documentation site, into docs/_build/html (ARGS="--port 8000" shows it)
#   make sanitize  the runtime's tests under AddressSanitizer and UndefinedBehaviorSanitizer
#                  (make sanitize ARGS="--threads": shared variables under ThreadSanitizer)
#   make test-clients
#                  test suites of libraries written for Theano 1.0.5 (ARGS="lasagne" for one)
#   make replay    many functions, compiled at another commit and here (make replay ARGS="HEAD~3")
#   make sz        lines per layer and file, the longest functions
#   make clean     remove what the targets made

VENV := .venv
BIN := $(VENV)/bin
ARGS :=
# Modules are compiled when they are first imported, which few of those installed ever are.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
REQUIREMENTS := import sys, tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	print(*project["dependencies"], *project["optional-dependencies"][sys.argv[1]], sep="\n")

# Compiled modules stay, also where the environment says otherwise, and out of the source tree.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/pycache

# The first interpreter that is new enough, unless PYTHON names one.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$name; break; }; done)

# pip must not run twice at once in one environment.
.NOTPARALLEL:
.SECONDARY:
.PHONY: demo quick test test-all test-clients check bench docs site sanitize replay sz clean

demo: $(VENV)/.with-examples
	$(BIN)/python examples/logistic_regression.py $(ARGS)

quick: check $(VENV)/.with-test
	$(BIN)/python -m pytest -n auto tests/ops/test_forward.py tests/programs $(ARGS)

test: $(VENV)/.with-test
	$(BIN)/python -m pytest -n auto $(ARGS)

# A file for each state of the sources names the tests that have passed.
test-all: $(VENV)/.with-test
	@echo "What the gate leaves out, on 2 cores: fuzzers at full length (hours), all combinations of"
	@echo "the values of tests (5 minutes), growth, interrupts and flat memory (5 minutes), exhaustive"
	@echo "tables (an hour), and then the clients (10 minutes). Started again, it goes on."
	THEANO_CHECK=2 $(BIN)/python -m pytest -n auto --part=rest --passed=$(VENV)/passed-$$({ git rev-parse HEAD; \
		git diff HEAD; } | git hash-object --stdin) $(ARGS)
	$(BIN)/python tests/clients/run.py

test-clients: $(VENV)/.with-test
	$(BIN)/python tests/clients/run.py $(ARGS)

check: $(VENV)/.with-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python tools/layers.py
	$(BIN)/python tools/sz.py --check
	$(BIN)/basedpyright --pythonpath $(BIN)/python

# What is measured is what a user installs: no editable install, which looks for sources to rebuild.
bench: $(VENV)/.with-bench
	rm -rf $(VENV)/installed
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip install --quiet --no-build-isolation --no-deps \
		--config-settings=build-dir=$(VENV)/build-installed --target $(VENV)/installed .
	$(BIN)/python benchmarks/run.py $(ARGS)

docs: $(VENV)/.with-test
	$(BIN)/python tools/reference_pages.py $(ARGS)

site: $(VENV)/.with-docs
	$(BIN)/python tools/make_site.py $(ARGS)

sanitize: $(VENV)/.with-test
	$(BIN)/python tools/sanitize.py $(ARGS)

replay: $(VENV)/.with-test
	$(BIN)/python tools/replay.py $(or $(ARGS),HEAD)

sz:
	$(PYTHON) tools/sz.py $(ARGS)

clean:
	rm -rf $(VENV) docs/_build docs/reference .pytest_cache .ruff_cache .hypothesis demo.png

# The C++ runtime is compiled while the dependencies are unpacked.
$(VENV)/.with-%: $(VENV)/.tools pyproject.toml meson.build
	$(MAKE) --no-print-directory $(VENV)/.package & package=$$!; \
		$(BIN)/python -c '$(REQUIREMENTS)' $* | $(INSTALL) --requirement /dev/stdin && wait $$package
	@# Imports build what is out of date. Do that once, before many processes start at once.
	$(BIN)/python -c 'import theano._core.runtime'
	touch $@

# A folder of ours within the environment keeps the build apart from any other the checkout has.
$(VENV)/.package: $(VENV)/.tools pyproject.toml meson.build
	PATH="$(CURDIR)/$(BIN):$$PATH" $(INSTALL) --no-build-isolation --no-deps \
		--config-settings=build-dir=$(VENV)/build --editable .
	touch $@

$(VENV)/.tools: tools/make_venv.py
	$(or $(PYTHON),$(error Python 3.11 or later is needed, and no such python3 was found)) \
		tools/make_venv.py $(VENV)
	$(INSTALL) 'meson-python>=0.16' meson ninja 'numpy>=2.0'
	touch $@

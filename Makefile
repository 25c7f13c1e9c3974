# The two commands of the README need nothing but Python 3.10 to 3.12 and a package registry.
PYTHON ?= python3
BENCH := .venv/bin/bench

.PHONY: bench test lint perf clean

bench: .venv/ready
	$(BENCH) run $(ARGS)

test: .venv/ready
	.venv/bin/pytest $(ARGS)

lint: .venv/ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# Ratios measured side by side, and times at size: 40 minutes on two cores; ARGS="comet site" measures these (tests/perf/).
perf: .venv/ready
	.venv/bin/python -W ignore -m tests.perf $(ARGS)

# constraints.txt pins what was installed together; an unpinned torch would fetch gigabytes of CUDA.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 10) <= sys.version_info[:2] <= (3, 12) else "Python 3.10 to 3.12 is needed, this is %d.%d: name one with make PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv

# `make bench` and `make test` need only Python 3.10 to 3.12 and PyPI or a mirror.
PYTHON ?= python3
BENCH := .venv/bin/bench

.PHONY: bench test test-fast fuzz lint perf clean

bench: .venv/ready
	$(BENCH) run $(ARGS)

# In parallel, one process per core; ends with the ten slowest tests.
test: .venv/ready
	.venv/bin/pytest --numprocesses auto --dist loadfile --durations 10 $(ARGS)

# Without the tests that take more than a few seconds: under a minute.
test-fast: .venv/ready
	.venv/bin/pytest --numprocesses auto --dist loadfile --durations 10 -m "not slow" $(ARGS)

# 20,000 wrong and hostile inputs: some twenty minutes. ARGS="--inputs 100000 --seed 2 stores sets" runs more of some kinds;
# another seed gives other inputs. A finding is printed with the command that repeats it.
fuzz: .venv/ready
	.venv/bin/python -m tests.fuzz $(ARGS)

lint: .venv/ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# Benchmarks next to their baselines: 40 minutes on two cores. ARGS="comet site" runs some of them (docs/speed.md).
perf: .venv/ready
	.venv/bin/python -W ignore -m tests.perf $(ARGS)

# constraints.txt pins versions that were tested together.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 10) <= sys.version_info[:2] <= (3, 12) else "bitext-bench needs Python 3.10 to 3.12, this is %d.%d: choose one with make PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv

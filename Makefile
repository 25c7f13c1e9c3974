# `make bench` and `make test` need only Python 3.10 to 3.12 and PyPI or a mirror.
PYTHON ?= python3
BENCH := .venv/bin/bench
# On Linux, PyPI's torch is built for CUDA and brings several GB of libraries. A machine without an NVIDIA GPU gets the
# CPU build from PyTorch's own index, if that answers. TORCH=cuda or TORCH=cpu chooses.
TORCH ?= $(shell command -v nvidia-smi >/dev/null 2>&1 && echo cuda || echo cpu)
CPU_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := .venv/bin/python -m pip install --quiet --constraint constraints.txt

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
	$(PIP) --upgrade pip
	@if [ "$(TORCH)" != cpu ]; then echo "Installing torch from PyPI (TORCH=$(TORCH))."; \
	elif .venv/bin/python -c 'import urllib.request; urllib.request.urlopen("$(CPU_INDEX)/torch/", timeout=5)' 2>/dev/null; \
	then echo "Installing the CPU build of torch from $(CPU_INDEX)."; $(PIP) --index-url $(CPU_INDEX) --no-deps torch; \
	else echo "$(CPU_INDEX) does not answer: installing torch from PyPI, which may bring CUDA libraries (several GB)."; fi
	$(PIP) --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv

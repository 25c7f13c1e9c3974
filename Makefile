# `make bench` and `make test` need only Python 3.10 to 3.12 and PyPI or a mirror.
PYTHON ?= python3
BENCH := .venv/bin/bench
# On Linux, PyPI's torch is built for CUDA and brings several GB of libraries. A machine without an NVIDIA GPU gets the
# CPU build from PyTorch's own index, if that answers. TORCH=cuda or TORCH=cpu chooses.
TORCH ?= $(shell command -v nvidia-smi >/dev/null 2>&1 && echo cuda || echo cpu)
CPU_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := .venv/bin/python -m pip install --quiet --constraint constraints.txt

# Tests run in one process per core, so each has one thread: more would wait for each other.
test test-fast test-transformers5: export OMP_NUM_THREADS = 1

.PHONY: bench test test-fast fuzz lint perf transformers5 test-transformers5 clean

bench: .venv/ready
	$(BENCH) run $(ARGS)

# In parallel, one process per core; ends with the ten slowest tests.
test: .venv/ready
	.venv/bin/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 10 $(ARGS)

# Without the tests that take more than a few seconds: under a minute.
test-fast: .venv/ready
	.venv/bin/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 10 -m "not slow" $(ARGS)

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

# For models that transformers 4 does not know: an environment beside .venv that shares all of it but transformers, and
# what that needs in other versions (180 MB). COMET, which excludes transformers 5, stays in .venv: score there.
transformers5: .venv-transformers5/ready

# The adapters and checkpoints under transformers 5.
test-transformers5: .venv-transformers5/ready
	.venv-transformers5/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 10 $(or $(ARGS),tests/adapters tests/checkpoints)

.venv-transformers5/ready: .venv/ready constraints-transformers5.txt
	rm -rf .venv-transformers5
	.venv/bin/python -m venv --without-pip .venv-transformers5
	.venv/bin/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
		> "$$(.venv-transformers5/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/venv.pth"
	.venv-transformers5/bin/python -m pip install --quiet --no-warn-conflicts --constraint constraints-transformers5.txt \
		'transformers>=5,<6' protobuf
	sed '1s|.*|#!$(CURDIR)/.venv-transformers5/bin/python|' .venv/bin/bench > .venv-transformers5/bin/bench
	chmod +x .venv-transformers5/bin/bench
	touch $@

clean:
	rm -rf .venv .venv-transformers5

"""Checks for a machine with a GPU: `python -m tests.gpu.check`."""

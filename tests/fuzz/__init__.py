"""A fuzzer: wrong, damaged and hostile inputs of every kind that `bench` reads.

`make fuzz` runs as many as wanted, `make test` two thousand. Each module named in `__main__.KINDS` makes the
inputs of one kind from valid examples; `sandbox` runs an input and says what is wrong with what happened.
"""

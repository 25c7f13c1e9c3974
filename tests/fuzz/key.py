"""The only secret of the fuzzer: a command must not print or write it."""

KEY = "sk-fuzz-0123456789abcdef0123456789abcdef"

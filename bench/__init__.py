"""bitext-bench: official bilingual texts as machine-translation benchmarks."""

__version__ = "0.1.0"

"""Which differences between systems are more than chance: intervals, paired tests, ranks."""

from bench.scoring.compare.paired import LEVEL, compare
from bench.scoring.compare.ranking import cluster_ends, holm, rank_ranges
from bench.scoring.compare.records import Comparison, Comparisons
from bench.scoring.intervals import SEED

__all__ = ["LEVEL", "SEED", "Comparison", "Comparisons", "cluster_ends", "compare", "holm", "rank_ranges"]

"""The one 95 % confidence interval of scores and of differences: jackknife and Student's t.

Each unit is left out once. How much the score moves gives its standard error (Tukey 1958; for any smooth
function of sums, such as BLEU: Efron and Stein 1981, who show that the jackknife errs on the wide side). The
interval is the score ± t standard errors. It always holds the score, ± is half its width for every metric,
and nothing is random.

A few long segments can decide the score of a set. Then the standard error is itself uncertain, and t has fewer
degrees of freedom than units: Satterthwaite's (1946), from the fourth moment of what the units contribute.

The percentile bootstrap and sacrebleu's interval hold the true score less often than they say on small sets.
`python -m tests.simulations` measures how often each does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.scoring.formulas import Array, Formula

SEED = 12345
"""Of every bootstrap and every randomisation test: sacrebleu's own default."""
LEVEL = 0.95


def leave_one_out(statistics: Array, formula: Formula) -> Array:
    """[system, unit]: the scores of the set without each unit. `statistics`: [system, statistic, unit]."""
    import numpy as np

    return np.array([formula(system.sum(axis=1, keepdims=True) - system) for system in statistics])


def standard_error(scores: Array) -> float:
    """Of a score or a difference, from those of the set without each unit; nan if a unit decides alone.

    `scores`: one unit left out each. At least two units.
    """
    import numpy as np

    count = len(scores)
    return float(np.sqrt((count - 1) / count * np.sum((scores - scores.mean()) ** 2)))


def degrees_of_freedom(scores: Array) -> float:
    """Of `standard_error`: number of units minus one, or fewer if few units contribute most of it."""
    import numpy as np

    count = len(scores)
    squares = (scores - scores.mean()) ** 2
    total = float(squares.sum())
    if not total > 0:
        return count - 1.0
    kurtosis = count * float(np.sum(squares**2)) / total**2
    return max(1.0, min(count - 1.0, 2 * count / (kurtosis - 1) if kurtosis > 1 else count - 1.0))


def interval(score: float, scores: Array) -> tuple[float, float] | None:
    """The 95 % interval of `score`. `scores`: those of the set without each unit, see `leave_one_out`.

    None if there are fewer than two units, or one unit has all that is scored.
    """
    import numpy as np
    from scipy.special import stdtrit

    if len(scores) < 2 or not np.isfinite(scores).all():
        return None
    half = standard_error(scores) * float(stdtrit(degrees_of_freedom(scores), (1 + LEVEL) / 2))
    return score - half, score + half


# Resampling, for the bootstrap test and for correlations


def draw(units: int, resamples: int, rng: np.random.Generator | None = None) -> NDArray[np.int64]:
    """[resample, unit]: the indices of the units that each resample consists of, drawn with replacement.

    `rng`: continues a series of draws; a new one starts from SEED.
    """
    import numpy as np

    rng = rng or np.random.default_rng(SEED)
    return rng.integers(units, size=(resamples, units))


def percentile_interval(resampled: Array) -> tuple[float, float]:
    """The 2.5th and the 97.5th percentile of resampled values, interpolated linearly.

    Only for the correlations of `bench meta-evaluate`, which are no functions of sums. A resample without a
    value (nan) does not count.
    """
    import numpy as np

    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return float(low), float(high)

"""95 % bootstrap intervals (Koehn 2004): how segments are drawn, and the two ways to read an interval off the
resamples.

There are two estimators because published numbers depend on both. `percentile_interval` is the textbook one:
use it for a new metric. `centred_interval` is sacrebleu's: a score of BLEU, chrF or TER must have the
interval that `sacrebleu --confidence` prints, and a comparison the intervals of `sacrebleu --paired-bs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SEED = 12345
"""Of every bootstrap and every randomisation test: sacrebleu's own default."""


def draw(units: int, resamples: int, rng: np.random.Generator | None = None) -> NDArray[np.int64]:
    """[resample, unit]: the indices of the units that each resample consists of, drawn with replacement.

    A unit is a segment, or a paragraph. `rng`: continues a series of draws; a new one starts from SEED.
    """
    import numpy as np

    rng = rng or np.random.default_rng(SEED)
    return rng.integers(units, size=(resamples, units))


def percentile_interval(resampled: Floats) -> tuple[float, float]:
    """The 2.5th and the 97.5th percentile of the resampled scores, interpolated linearly.

    Used for COMET, the term metrics and the correlations of `bench meta-evaluate`. A resample without a score
    (nan) does not count: no term was drawn, or no segment that was scored.
    """
    import numpy as np

    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return float(low), float(high)


def centred_interval(resampled: Floats, mean: float | None = None) -> tuple[float, float]:
    """The mean of the resampled scores ± half the distance between their 2.5th and 97.5th percentile.

    As sacrebleu.metrics.base.Score.estimate_ci and sacrebleu.significance.estimate_ci, which take the nearest
    resample instead of interpolating. Used for BLEU, chrF, chrF++ and TER, and for every metric in a
    comparison of systems. A resample without a score (nan) does not count. `mean`: of `resampled`, if the
    caller has summed it exactly, as sacrebleu does for a score; it differs from numpy's sum in the last
    digit.
    """
    import numpy as np

    scores = resampled[~np.isnan(resampled)]
    ordered, tail = np.sort(scores), len(scores) // 40
    half = (ordered[-tail - 1] - ordered[tail]) / 2
    middle = scores.mean() if mean is None else mean
    return float(middle - half), float(middle + half)

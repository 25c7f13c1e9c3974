"""How often human judgements agree with a difference between two systems of the size that a metric measured.

Kocmi et al. 2024, "Navigating the Metrics Maze" (arXiv 2401.06760): over 6,530 pairs of systems with human
judgements, the share of the pairs with such a difference that the metric and the judgements order alike,
fitted by `a / (1 + exp(-b * difference))`. The parameters are those of the authors' tool
(https://github.com/kocmitom/MT-Thresholds, python-tool/mt_thresholds.py), and reproduce the paper's table.

It is an average over many languages, texts and kinds of pairs. These metrics order versions of one system
more often like the judgements (BLEU 75 %, chrF 77 %, COMET 80 %) than unrelated systems (59, 58, 70 %), which
is what a board mostly holds.
"""

from __future__ import annotations

from math import exp

_CURVES = {"BLEU": (88.3333, 0.966393), "chrF": (93.0, 1.114273)}
_COMET, _COMET_CURVE = "|checkpoint:Unbabel/wmt22-comet-da@", (96.2237, 2.835919)


def agreement(metric: str, signature: str, difference: float) -> float | None:
    """From 0 to 1; None for a metric that was not studied. `difference`: in the metric's own points.

    wmt22-comet-da is the only COMET model in the study, and its curve does not apply to others.
    """
    if _COMET in signature:
        (a, b), points = _COMET_CURVE, 100 * abs(difference)
    elif metric in _CURVES:
        (a, b), points = _CURVES[metric], abs(difference)
    else:
        return None
    return a / 100 / (1 + exp(-b * points))

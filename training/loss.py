"""The training loss of one group: scores near the human level, in a sensible order, and above their faulty
copies.

A score of 0.8 means a translation as good as the mean of its file; 0.1 is one standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from training.data import DEGENERATE, Candidate

MEAN, DEVIATION = 0.8, 0.1

# The constants below are in standard deviations.

_REFERENCE = 1.6
"""The target score of the reference itself."""
_MARGINS = {"shuffled": 2.5, "repeated": 2.5, "omission": 1.5}
"""Kind of fault -> the least distance to the text it was made from."""
_MARGIN = 1.2
"""The same for all other kinds."""
_BELOW_ALL = 2.0
"""The least distance between the worst real translation and a degenerate one."""
_HUMAN_WEIGHT, _HINT_WEIGHT = 0.1, 0.3
"""Weights of the human score and of the hint (likeness to the reference) in the order within a segment.

They are small, so that the order within segments does not drown the differences between segments."""
_SHARPNESS = 6.0
"""Factor from a difference of scores to the log-odds that one translation is better than the other."""


def group_loss(scores: Tensor, candidates: Sequence[Candidate], hint: Tensor) -> Tensor:
    """The loss of a group, a scalar. `scores`, `hint`: [candidates]; see training.train._hints.

    The level of a segment's translations is learned from human judgements. Their order within the segment is
    learned mostly from the hint: each translation was judged once and human judges differ, so order learned
    from judgements alone did not hold on other texts.
    """
    u = (scores - MEAN) / DEVIATION
    judged = [i for i, c in enumerate(candidates) if c.human is not None]
    terms = []

    if judged:
        human = torch.tensor([candidates[i].human for i in judged])
        terms.append(functional.huber_loss(u[judged].mean(), human.mean(), delta=1.0))

    fixed = [(i, DEGENERATE[c.fault]) for i, c in enumerate(candidates) if c.fault in DEGENERATE]
    if fixed:
        rows, targets = [i for i, _ in fixed], torch.tensor([score for _, score in fixed])
        terms.append(functional.huber_loss(u[rows], targets, delta=1.0))

    reference = [i for i, c in enumerate(candidates) if c.human is None and not c.fault]
    if reference:
        terms.append(0.5 * functional.huber_loss(u[reference], torch.full((len(reference),), _REFERENCE)))

    if len(judged) > 1:
        left, right = torch.triu_indices(len(judged), len(judged), 1)  # all pairs
        target = _HUMAN_WEIGHT * human + _HINT_WEIGHT * hint[judged]
        target_difference = target[left] - target[right]
        difference = u[judged][left] - u[judged][right]
        order = functional.binary_cross_entropy_with_logits(
            _SHARPNESS * difference,
            torch.sigmoid(_SHARPNESS * target_difference),
            weight=(2 * target_difference.abs()).clamp(0.1, 2.0),
        )
        terms.append(4.0 * order)

    faulty = [(i, c.base, c.fault) for i, c in enumerate(candidates) if c.base is not None]
    if faulty:
        rows, bases = [i for i, _, _ in faulty], [base for _, base, _ in faulty]
        margins = torch.tensor([_MARGINS.get(fault, _MARGIN) for _, _, fault in faulty])
        terms.append(functional.relu(margins - (u[bases] - u[rows])).mean())

    degenerate = [i for i, c in enumerate(candidates) if c.fault and c.base is None]
    real = judged + reference
    if degenerate and real:
        terms.append(functional.relu(_BELOW_ALL - (u[real].min() - u[degenerate])).mean())
    return torch.stack(terms).sum()

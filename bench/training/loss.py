"""What a score should be like: near people's judgements, in their order within a segment, and above its faulty copies.

Scores are 0.8 for a translation as good as the mean of its file, and 0.1 more or less for each standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from bench.training.data import Candidate, target

MEAN, DEVIATION = 0.8, 0.1
_REFERENCE = 1.6  # where the reference itself should come to lie
_MARGINS = {"shuffled": 2.5, "repeated": 2.5, "omission": 1.5}
_MARGIN = 1.2
_BELOW_ALL = 2.0  # between the worst real translation and what is none
_HINT = 0.35  # how much likeness to the reference has to say within a segment, beside a person


def group_loss(scores: Tensor, candidates: Sequence[Candidate], hint: Tensor) -> Tensor:
    """`scores`, `hint`: one a candidate. Few people have judged, and they differ: the hint keeps to what holds on other texts
    (chrF, and the cosine that the encoder gave before it was trained), and speaks where people saw no difference."""
    u = (scores - MEAN) / DEVIATION
    judged = [i for i, c in enumerate(candidates) if c.human is not None]
    parts = []

    fixed = [(i, t) for i, c in enumerate(candidates) if (t := target(c)) is not None]
    if fixed:
        at, to = map(list, zip(*fixed, strict=True))
        parts.append(functional.huber_loss(u[at], torch.tensor(to), delta=1.0))

    reference = [i for i, c in enumerate(candidates) if c.human is None and not c.fault]
    if reference:
        parts.append(0.5 * functional.huber_loss(u[reference], torch.full((len(reference),), _REFERENCE)))

    if len(judged) > 1:
        human = torch.tensor([candidates[i].human for i in judged])
        likely = hint[judged]
        wanted = human[:, None] - human[None, :] + _HINT * (likely[:, None] - likely[None, :])
        found = u[judged][:, None] - u[judged][None, :]
        upper = torch.triu_indices(len(judged), len(judged), 1)
        a, b = wanted[upper[0], upper[1]], found[upper[0], upper[1]]
        weight = a.abs().clamp(0.1, 2.0)
        order = functional.binary_cross_entropy_with_logits(2.0 * b, torch.sigmoid(2.0 * a), weight=weight)
        parts.append(2.0 * order)

    faulty = [i for i, c in enumerate(candidates) if c.base is not None]
    if faulty:
        base = [candidates[i].base for i in faulty]
        margin = torch.tensor([_MARGINS.get(candidates[i].fault, _MARGIN) for i in faulty])
        parts.append(functional.relu(margin - (u[base] - u[faulty])).mean())

    none = [i for i, c in enumerate(candidates) if c.fault and c.base is None]
    real = judged + reference
    if none and real:
        parts.append(functional.relu(_BELOW_ALL - (u[real].min() - u[none])).mean())
    return torch.stack(parts).sum()

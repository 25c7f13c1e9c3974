"""What a score should be like: near people's judgements, in their order within a segment, and above its faulty copies.

Scores are 0.8 for a translation as good as the mean of its file, and 0.1 more or less for each standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from training.data import DEGENERATE, Candidate

MEAN, DEVIATION = 0.8, 0.1
_REFERENCE = 1.6  # where the reference itself should come to lie
_MARGINS = {"shuffled": 2.5, "repeated": 2.5, "omission": 1.5}
_MARGIN = 1.2
_BELOW_ALL = 2.0  # between the worst real translation and what is none
_PERSON, _HINT = (
    0.1,
    0.3,
)  # what a person and likeness to the reference have to say within a segment; small, so that the
_SHARPNESS = 6.0  # order there does not drown how much better one segment's translations are than another's


def group_loss(scores: Tensor, candidates: Sequence[Candidate], hint: Tensor) -> Tensor:
    """`scores`, `hint`: one a candidate. How good the translations of a segment are is learned from people; their order within
    it, where people differ and each was asked once, mostly from the hint: what was learned from people alone did not hold on
    other texts.
    """
    u = (scores - MEAN) / DEVIATION
    judged = [i for i, c in enumerate(candidates) if c.human is not None]
    parts = []

    if judged:
        human = torch.tensor([candidates[i].human for i in judged])
        parts.append(functional.huber_loss(u[judged].mean(), human.mean(), delta=1.0))

    fixed = [(i, worth) for i, c in enumerate(candidates) if (worth := DEGENERATE.get(c.fault))]
    if fixed:
        at, to = map(list, zip(*fixed, strict=True))
        parts.append(functional.huber_loss(u[at], torch.tensor(to), delta=1.0))

    reference = [i for i, c in enumerate(candidates) if c.human is None and not c.fault]
    if reference:
        parts.append(0.5 * functional.huber_loss(u[reference], torch.full((len(reference),), _REFERENCE)))

    if len(judged) > 1:
        upper = torch.triu_indices(len(judged), len(judged), 1)
        wanted = _PERSON * human + _HINT * hint[judged]
        wanted = wanted[upper[0]] - wanted[upper[1]]
        found = u[judged][upper[0]] - u[judged][upper[1]]
        order = functional.binary_cross_entropy_with_logits(
            _SHARPNESS * found,
            torch.sigmoid(_SHARPNESS * wanted),
            weight=(2 * wanted.abs()).clamp(0.1, 2.0),
        )
        parts.append(4.0 * order)

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

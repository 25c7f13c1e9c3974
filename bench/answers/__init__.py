"""From a model's answer to the text that is scored: what is removed, and what is wrong with the rest.

An answer is cleaned by its structure: only what provably is not the translation is removed (`cleaning`). Nothing
here needs the model: stored answers are cleaned and flagged again when `VERSION` increases
(bench.translation.evaluation).
"""

from __future__ import annotations

VERSION = 3
"""Of everything that makes text and flags from an answer. Increase it if one of them changes."""

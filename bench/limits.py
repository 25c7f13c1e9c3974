"""The largest of everything whose size comes from outside: files, settings, answers, other people's results.

A larger value is refused with a sentence that names the limit. SECURITY.md lists them for users.
"""

from __future__ import annotations

MIB = 2**20

# Files, in bytes
RECORD_BYTES = 16 * MIB
"""run.json, failure.json, document.yaml, hashes: one record."""
TABLE_BYTES = 512 * MIB
"""hypotheses.jsonl, segments.jsonl, scores, comparisons, leaderboards: something for every segment or pair."""
DOCUMENT_BYTES = 256 * MIB
"""A document, parallel files, judgements: what a user names on the command line."""

# Reference sets and results
SEGMENTS = 200_000
"""Segments of a reference set."""
METRICS = 50
"""Metrics of a board."""
RUNS = 20_000
"""Runs of a set in one direction."""
SETS = 1_000
"""Reference sets in one store."""
DECIMALS = 10
"""Decimals of a score that are shown."""
NAME_CHARACTERS = 128
"""Characters of a name that becomes part of a path: of a system, a set, a metric."""

# Settings
SHARDS = 1_000
"""Shards of one run; each is a job that loads the model."""
NEW_TOKENS = 131_072
"""Tokens of one line of a translation."""
BATCH_TOKENS = 100_000_000
RESAMPLES = 1_000_000
"""Resamples of an interval or a test, and trials of a randomisation test."""
TESTED_DIFFERENCES = 20_000_000_000
"""Pairs of systems x trials of a test: some five minutes of computing."""
CONCURRENCY = 1_024
"""Requests at once to one endpoint."""
TIMEOUT_SECONDS = 86_400
RETRIES = 100
PREVIOUS_SEGMENTS = 1_000
"""Segments before the translated one in a prompt."""

# Answers and code of others
BODY_BYTES = 16_000_000
"""Body of a server's answer, after decompression."""
MESSAGE_CHARACTERS = 300
"""Characters of a server's or a library's message that are kept."""
TEMPLATE_SECONDS = 10.0
"""Time for one use of a checkpoint's chat template."""
TEMPLATE_BYTES = 1024 * MIB
"""Memory for one use of a checkpoint's chat template."""

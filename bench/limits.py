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
FILES = 500_000
"""Files in the folder of a published set."""
LARGEST = 10**12
"""A number in a record: a count, a score, a statistic of a segment."""
LINE_CHARACTERS = 2_000
"""Characters of a short text in a record: a signature, a device, an origin."""
TEXT_CHARACTERS = 1_000_000
"""Characters of one translation."""
NESTING = 32
"""Levels of objects and lists in run.json."""
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
RESAMPLED_SCORES = 50_000_000
"""Systems x resamples of a bootstrap test: 400 MB."""
RESAMPLED_STATISTICS = 3_000_000_000_000
"""Draws of a test x units x systems x statistics of a segment: some five minutes of computing."""
CONCURRENCY = 1_024
"""Requests at once to one endpoint."""
TIMEOUT_SECONDS = 86_400
RETRIES = 100
PREVIOUS_SEGMENTS = 1_000
"""Segments before the translated one in a prompt."""

# Answers and code of others
BODY_BYTES = 16_000_000
"""Body of a server's answer, after decompression."""
BODY_VALUES = 500_000
"""Values in a server's answer: one in memory takes up to fifty times its bytes."""
MESSAGE_CHARACTERS = 300
"""Characters of a server's or a library's message that are kept."""
TEMPLATE_SECONDS = 10.0
"""Time for one use of a checkpoint's chat template."""
TEMPLATE_BYTES = 256 * MIB
"""Memory for one use of a checkpoint's chat template."""

# Configuration
JOBS = 10_000
"""Jobs of one `bench run`: systems x directions x shards x other swept values."""
CONFIG_BYTES = MIB // 4
"""A yaml of --config-dir."""
OVERRIDE_CHARACTERS = 500_000
"""All overrides of a command together."""
SETTINGS = 100_000
"""Values in the configuration of one job."""
SETTING_LEVELS = 32
"""Mappings and lists inside each other in it."""
SETTING_CHARACTERS = 100_000
"""Characters of one of its texts, with every ${…} resolved."""
PATH_CHARACTERS = 4_096
BEAMS = 64
CHECKPOINT_FILES = 10_000
"""Files in the folder of a checkpoint."""
DEVICES = 1_024
"""Devices that one metric is computed on."""

# Checkpoints and documents of others
CHECKPOINT_FILES = 10_000
"""Files and folders in a checkpoint's folder."""
CHECKPOINT_LAYERS = 1_000
"""Layers of a model, and experts of a layer."""
CHECKPOINT_LABELS = 100_000
"""Labels that a checkpoint's config says it has."""
CHECKPOINT_BEAMS = 100
"""Beams that a checkpoint's generation config asks for."""
UNBACKED_PARAMETERS = 64 * MIB
"""Parameters that a model may have beyond what the bytes of its weights can hold: computed positions, masks."""
TEMPLATE_CHARACTERS = 100_000
"""A checkpoint's chat template, and what it adds to a prompt."""

# The site
PAGE_BYTES = 512 * MIB
"""The site's data on one board: texts, differences, scores. A larger board has no pages of segments and systems."""
MARKED_ERRORS = 1_000
"""Errors of one hypothesis, as a metric marks them, that a page shows."""
DOCUMENT_CHARACTERS = 64_000_000
"""Characters of a document, after it is unpacked."""
DOCUMENT_LINES = 2_000_000
"""Lines of a document, empty ones included."""
DOCUMENT_PAGES = 10_000
"""Pages of a PDF."""

"""The largest of everything whose size comes from outside: files, settings, answers, other people's results.

A larger value is refused with a sentence that names the limit. SECURITY.md shows these constants with their
docstrings (tests/test_docs.py).
"""

from __future__ import annotations

MIB = 2**20

# Files
RECORD_BYTES = 16 * MIB
"""run.json, failure.json, hashes: a file with one record."""
TABLE_BYTES = 512 * MIB
"""hypotheses.jsonl, segments.jsonl, scores, comparisons, leaderboards: a file with a row per segment or pair."""
DOCUMENT_BYTES = 256 * MIB
"""A document, parallel files, judgements: a file that is named on the command line."""
LOGO_BYTES = 256 * 1024
"""A logo for the site."""
INTRODUCTION_CHARACTERS = 5_000
"""Characters of an introduction to the site."""
FILE_VALUES = 6_000_000
"""Values in one JSON file; an empty one takes up to fifty times its bytes in memory."""
SCORE_VALUES = 20_000_000
"""Values in the file of a score: numbers."""
FILES = 500_000
"""Files in the folder of a published set."""
PATH_CHARACTERS = 4_096
"""Characters of a path in a setting."""

# Documents
DOCUMENT_CHARACTERS = 64_000_000
"""Characters of a document, after it is unpacked."""
DOCUMENT_LINES = 2_000_000
"""Lines of a document, empty ones included."""
DOCUMENT_PAGES = 10_000
"""Pages of a PDF."""
PAGE_CHARACTERS = 1_000_000
"""Characters of a page of a PDF."""
PAGE_SECONDS = 15
"""Seconds for a page of a PDF."""
PDF_SECONDS = 900
"""Seconds for a PDF."""
PDF_BYTES = 1_024 * MIB
"""Memory of the process that reads a PDF."""

# Reference sets and results
SETS = 1_000
"""Reference sets in one store."""
SEGMENTS = 200_000
"""Segments of a reference set."""
RUNS = 20_000
"""Runs of a set in one direction."""
ENTRIES = 1_000_000
"""Lines in all journals of a run."""
METRICS = 50
"""Metrics of a board."""
PAGE_BOARDS = 10
"""Marks for boards on a Markdown page."""
TRANSACTIONS = 20
"""Interrupted publications into one results folder."""
NAME_CHARACTERS = 128
"""Characters of a name that becomes part of a path: of a system, a set, a metric."""
LINE_CHARACTERS = 2_000
"""Characters of a short text in a record: a signature, a device, an origin."""
TEXT_CHARACTERS = 1_000_000
"""Characters of one translation."""
LARGEST = 10**12
"""A number in a record: a count, a score, a statistic of a segment."""
DECIMALS = 10
"""Decimals of a score that are shown."""
NESTING = 32
"""Levels of objects and lists in run.json."""

# Significance tests
RESAMPLES = 1_000_000
"""Resamples of an interval or a test, and trials of a randomisation test."""
TESTED_DIFFERENCES = 20_000_000_000
"""Pairs of systems x trials of a test: some five minutes of computing."""
RESAMPLED_SCORES = 50_000_000
"""Systems x resamples of a bootstrap test: 400 MB."""
RESAMPLED_STATISTICS = 3_000_000_000_000
"""Draws of a test x units x systems x statistics of a segment: some five minutes of computing."""
TER_WORDS = 20_000_000
"""Words of a hypothesis x words of its reference, of one segment, for TER (Chinese: characters)."""

# The site
PAGE_BYTES = 512 * MIB
"""Data of one board's pages; a larger board has no pages of segments and systems."""
MARKED_ERRORS = 1_000
"""Errors of one hypothesis by one metric that a page shows."""

# Settings
JOBS = 10_000
"""Jobs of one `bench run`: systems x directions x shards x other swept values."""
SHARDS = 1_000
"""Shards of one run; each is a job that loads the model."""
NEW_TOKENS = 131_072
"""Tokens of one line of a translation."""
BATCH_TOKENS = 100_000_000
"""Tokens of a batch."""
BEAMS = 64
"""Beams of a search."""
PREVIOUS_SEGMENTS = 1_000
"""Segments before the translated one in a prompt."""
DEVICES = 1_024
"""Devices that one metric is computed on."""
CONFIG_BYTES = MIB // 4
"""A yaml of --config-dir, and document.yaml."""
OVERRIDE_CHARACTERS = 500_000
"""All overrides of a command together."""
SETTINGS = 100_000
"""Values in the configuration of one job."""
SETTING_LEVELS = 32
"""Mappings and lists inside each other in it."""
SETTING_CHARACTERS = 100_000
"""Characters of one of its texts, with every ${…} resolved."""

# Endpoints
CONCURRENCY = 1_024
"""Requests at once to one endpoint."""
TIMEOUT_SECONDS = 86_400
"""Seconds to wait for an answer."""
RETRIES = 100
"""Repetitions of one request."""
BODY_BYTES = 16_000_000
"""Body of a server's answer, after it is unpacked."""
BODY_VALUES = 500_000
"""Values in a server's answer; one takes up to fifty times its bytes in memory."""
MESSAGE_CHARACTERS = 300
"""Characters of a server's or a library's message that are kept."""

# Judges
PASSES = 100
"""Answers of a judge about one segment."""
JUDGED_ERRORS = 50
"""Errors in one answer of a judge that count."""

# Checkpoints
CHECKPOINT_FILES = 10_000
"""Files and folders in a checkpoint's folder."""
GGUF_VALUES = 4_000_000
"""Values in the header of a GGUF file: the vocabulary and its merges have a million or two."""
GGUF_TENSORS = 100_000
"""Tensors in a GGUF file."""
CHECKPOINT_LAYERS = 1_000
"""Layers of a model, and experts of a layer."""
CHECKPOINT_LABELS = 100_000
"""Labels that a checkpoint's config says it has."""
CHECKPOINT_BEAMS = 100
"""Beams that a checkpoint's generation config asks for."""
UNBACKED_PARAMETERS = 64 * MIB
"""Parameters of a model beyond what the bytes of its weights can hold: computed positions, masks."""
TEMPLATE_CHARACTERS = 100_000
"""Characters of a checkpoint's chat template, and of what it adds to a prompt."""
TEMPLATE_SECONDS = 10.0
"""Seconds for one use of a chat template."""
TEMPLATE_BYTES = 256 * MIB
"""Memory for one use of a chat template."""

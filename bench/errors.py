"""The one error that users see."""

from __future__ import annotations


class BenchError(Exception):
    """A problem that the user can fix. The message is one sentence that says what to do next.

    The command line prints the message without a traceback and exits with code 2.
    """

"""Limits of an evaluation, and what it may end in, without the libraries that evaluate."""

SECONDS = 1.0  # of processor time for one evaluation
MEMORY_BYTES = 256 * 2**20
ANSWER_BYTES = 2**20


class NoValue(Exception):
    """The expression gives nothing that is JSON, not even null; the text says what."""

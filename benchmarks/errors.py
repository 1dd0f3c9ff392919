"""What the benchmark raises for its user to read."""

from __future__ import annotations


class BenchmarkError(Exception):
    """The command line, a dataset or an environment breaks a rule; the text says which, and what to do."""

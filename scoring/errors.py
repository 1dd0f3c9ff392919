"""What may go wrong with the input of the scoring program.

ScoringError                 anything that the user can put right; the program prints it and exits with 1
`-- PredictionError          one prediction file is unusable; it is ignored, the others still count
"""


class ScoringError(Exception):
    """The input breaks a rule; the text names the rule, the fact and the remedy."""


class PredictionError(ScoringError):
    """A prediction file has another shape than the solution, or holds something other than finite numbers."""

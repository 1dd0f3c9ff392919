"""The exceptions that this package raises on purpose.

    AutoDLSolverError
    |-- DataError            a dataset (records, metadata, images) is not what the format promises
    |   |-- RecordError      the framing or the bytes of a TFRecord file
    |   `-- MetadataError    metadata.textproto, or a metadata object of the challenge
    `-- ShapeError           arrays handed to a function disagree on their shapes (also a ValueError)

Texts follow one pattern: the rule, "however" the fact, the remedy; they name the file or argument.
"""


class AutoDLSolverError(Exception):
    """Base of every error that this package raises on purpose."""


class DataError(AutoDLSolverError):
    """A dataset is not what the format promises."""


class RecordError(DataError):
    """The framing or the content of a TFRecord file is wrong."""


class MetadataError(DataError):
    """The metadata of a dataset is missing, malformed or contradictory."""


class ShapeError(AutoDLSolverError, ValueError):
    """Arrays handed to a function disagree on their shapes."""

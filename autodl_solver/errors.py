"""The exceptions that this package raises on purpose.

    AutoDLSolverError
    |-- DataError            a dataset (records, metadata, images) is not what the format promises
    |   |-- RecordError      the framing or the bytes of a TFRecord file
    |   `-- MetadataError    metadata.textproto, or a metadata object of the challenge
    |-- InputError           a user's own examples, labels or files cannot be learned from (also a ValueError)
    |-- ModelFileError       a saved model or run is damaged, of another version, or no such thing
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


class InputError(AutoDLSolverError, ValueError):
    """A user's own examples, labels or files cannot be learned from, or differ from those that were."""


class ModelFileError(AutoDLSolverError):
    """A saved model or run is damaged, of another version, or no such thing."""

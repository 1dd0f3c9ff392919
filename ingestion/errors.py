"""The exceptions that the ingestion program raises on purpose.

    IngestionError
    |-- DatasetError             the dataset folder or its records are not what the format promises
    |   `-- MetadataError        metadata.textproto is missing, malformed or contradictory
    |-- OutputError              the output folder cannot be written
    |-- SubmissionError          the code folder holds no usable Model
    |-- PredictionError          a model returned something that cannot be scored
    |-- BudgetExceededError      the model was still busy when its time was over (also a TimeoutError)
    `-- MissingTensorFlowError   a model touched the dataset, TensorFlow is not installed (also an ImportError)

Texts follow one pattern: the rule, "however" the fact, the remedy.
"""


class IngestionError(Exception):
    """Base of every error that the ingestion program raises on purpose."""


class DatasetError(IngestionError):
    """The dataset folder or its records are not what the format promises."""


class MetadataError(DatasetError):
    """metadata.textproto is missing, malformed or contradictory."""


class OutputError(IngestionError):
    """The output folder cannot be written."""


class SubmissionError(IngestionError):
    """The code folder holds no usable Model."""


class PredictionError(IngestionError):
    """A model returned something that cannot be scored."""


class BudgetExceededError(IngestionError, TimeoutError):
    """The model was still busy when its time was over."""


class MissingTensorFlowError(IngestionError, ImportError):
    """A model touched the dataset, but TensorFlow is not installed."""

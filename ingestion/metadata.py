"""The metadata object of the challenge: what a `Model` is constructed with.

`AutoDLMetadata` has the methods of the official class; its `metadata_` has the attributes of the protobuf message.
"""

from pathlib import Path

from ingestion.errors import MetadataError
from ingestion.specification import ContradictionError, DataSpecification, Format, parse_specification
from ingestion.text_format import TextFormatError

METADATA_FILE = "metadata.textproto"


class AutoDLMetadata:
    """Facts of one folder (train or test) of a dataset, in the words of the challenge.

    Source: the class of the same name in the official starting kit.
    """

    def __init__(self, dataset_name: str, metadata: DataSpecification) -> None:
        """dataset_name: the folder that holds metadata.textproto and the records."""
        self.dataset_name_ = dataset_name
        self.metadata_ = metadata

    def get_dataset_name(self) -> str:
        """The folder of the records, for example `/data/monkeys/monkeys.data/train`."""
        return self.dataset_name_

    def is_compressed(self, bundle_index: int = 0) -> bool:
        """Whether the time steps are encoded images."""
        return self.metadata_.matrix_spec[bundle_index].format == Format.COMPRESSED

    def is_sparse(self, bundle_index: int = 0) -> bool:
        """Whether only the values that are not zero are stored."""
        return self.metadata_.matrix_spec[bundle_index].format == Format.SPARSE

    def get_bundle_size(self) -> int:
        """Number of bundles; 1 in every published dataset."""
        return len(self.metadata_.matrix_spec)

    def get_matrix_size(self, bundle_index: int = 0) -> tuple[int, int]:
        """(rows, columns); -1 where they differ per example."""
        spec = self.metadata_.matrix_spec[bundle_index]
        return spec.row_count, spec.col_count

    def get_num_channels(self, bundle_index: int = 0) -> int:
        """Channels; where unknown (-1), 3 for compressed images, else 1."""
        n_channels = self.metadata_.matrix_spec[bundle_index].num_channels
        if n_channels == -1:
            return 3 if self.is_compressed(bundle_index) else 1
        return n_channels

    def get_tensor_size(self, bundle_index: int = 0) -> tuple[int, int, int]:
        """(rows, columns, channels) of one time step."""
        return (*self.get_matrix_size(bundle_index), self.get_num_channels(bundle_index))

    def get_tensor_shape(self, bundle_index: int = 0) -> tuple[int, int, int, int]:
        """(time steps, rows, columns, channels) of an example; -1 where they differ per example."""
        return (self.get_sequence_size(), *self.get_tensor_size(bundle_index))

    def get_sequence_size(self) -> int:
        """Time steps of an example; -1 where they differ per example."""
        return self.metadata_.sequence_size

    def get_output_size(self) -> int:
        """Number of classes."""
        return self.metadata_.output_dim

    def size(self) -> int:
        """Number of examples in the folder."""
        return self.metadata_.sample_count

    def get_label_to_index_map(self) -> dict[str, int]:
        """Name of a class -> its column; may be empty."""
        return self.metadata_.label_to_index_map

    def get_channel_to_index_map(self) -> dict[str, int]:
        """Vocabulary: token -> index; empty unless the dataset is text."""
        return self.metadata_.channel_to_index_map

    def get_feature_to_index_map(self) -> dict[str, int]:
        """Name of a column -> its index; may be empty."""
        return self.metadata_.feature_to_index_map


def read_metadata(folder: Path) -> AutoDLMetadata:
    """Read and check folder/metadata.textproto.

    Args:
        folder: holds the file and the records, for example NAME.data/train.
    Raises:
        MetadataError: the file is missing, malformed or contradicts itself.
    """
    path = folder / METADATA_FILE
    try:
        specification = parse_specification(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MetadataError(
            f"A dataset folder must hold a readable {METADATA_FILE}, however {path} is not ({error.strerror})"
        ) from error
    except (UnicodeDecodeError, TextFormatError, ContradictionError) as error:
        raise MetadataError(f"{path} must describe a dataset in protobuf text format, however {error}") from error
    return AutoDLMetadata(str(folder), specification)

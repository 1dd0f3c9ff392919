"""The folder of a pretrained sentence encoder, as Hugging Face and sentence-transformers write it; no torch needed.

    config.json                   the network: a BERT encoder
    model.safetensors             its weights, or pytorch_model.bin, which is read without unpickling objects
    tokenizer.json or vocab.txt   see modalities/text/sentences.py
    modules.json, 1_Pooling/      optional: how tokens become a sentence; without them, the mean

Nothing of a folder is executed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodl_solver.errors import ModelFileError

SAFE_WEIGHTS, TORCH_WEIGHTS = "model.safetensors", "pytorch_model.bin"
TOKENIZER_FILES = ("tokenizer.json", "vocab.txt")
ROOTS = ("", "bert.")
"""The names of the weights begin so: of a bare encoder, or of one below some head."""

WORDS = "embeddings.word_embeddings.weight"
SIZES = {
    "width": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "inner": "intermediate_size",
    "n_pieces": "vocab_size",
    "n_places": "max_position_embeddings",
    "n_segments": "type_vocab_size",
}
"""Our names, and those of config.json."""

MAX_LAYERS = 100


@dataclass(frozen=True)
class EncoderFacts:
    """What the network is.

    Attributes:
        width: of a token's vector, and of a sentence's.
        n_layers, n_heads: of the encoder.
        inner: width of the hidden layer within a layer.
        n_pieces, n_places, n_segments: rows of the three embedding tables.
        epsilon: of the normalisations.
        first_token: a sentence is the vector of its first token; else the mean of all.
        unit_length: sentences are scaled to length one.
    """

    width: int
    n_layers: int
    n_heads: int
    inner: int
    n_pieces: int
    n_places: int
    n_segments: int
    epsilon: float
    first_token: bool = False
    unit_length: bool = False

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all weights that are used."""
        shapes: dict[str, tuple[int, ...]] = {
            WORDS: (self.n_pieces, self.width),
            "embeddings.position_embeddings.weight": (self.n_places, self.width),
            "embeddings.token_type_embeddings.weight": (self.n_segments, self.width),
            **_pair("embeddings.LayerNorm", self.width),
        }
        for k in range(self.n_layers):
            layer = f"encoder.layer.{k}."
            for name in ("query", "key", "value"):
                shapes |= _pair(f"{layer}attention.self.{name}", self.width, self.width)
            shapes |= _pair(f"{layer}attention.output.dense", self.width, self.width)
            shapes |= _pair(f"{layer}attention.output.LayerNorm", self.width)
            shapes |= _pair(f"{layer}intermediate.dense", self.inner, self.width)
            shapes |= _pair(f"{layer}output.dense", self.width, self.inner)
            shapes |= _pair(f"{layer}output.LayerNorm", self.width)
        return shapes

    def root_of(self, found: Mapping[str, tuple[int, ...]]) -> str:
        """What the names of the weights begin with.

        Raises:
            ValueError: a weight is missing or of another shape.
        """
        root = next((root for root in ROOTS if root + WORDS in found), "")
        for name, shape in self.shapes().items():
            if found.get(root + name) != shape:
                raise ValueError(f"{name} is {found.get(root + name, 'missing')}, not {shape}")
        return root


def _pair(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def encoder_folder(folder: Path) -> Path | None:
    """The folder itself if it holds config.json and a tokenizer, or the first such sub-folder; None without one."""
    candidates = [folder, *sorted(one for one in folder.iterdir() if one.is_dir())] if folder.is_dir() else []
    for one in candidates:
        if (one / "config.json").is_file() and any((one / name).is_file() for name in TOKENIZER_FILES):
            return one
    return None


def read_facts(folder: Path) -> EncoderFacts:
    """What config.json and its neighbours say, compared with the weights as far as that needs no torch.

    Raises:
        ModelFileError: the folder holds no BERT encoder, or a damaged one.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        facts = _facts(config, folder)
        if (folder / SAFE_WEIGHTS).is_file():
            facts.root_of(_safe_shapes(folder / SAFE_WEIGHTS))
        elif not (folder / TORCH_WEIGHTS).is_file():
            raise ValueError(f"it has neither {SAFE_WEIGHTS} nor {TORCH_WEIGHTS}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise not_readable(folder, error) from error
    return facts


def not_readable(folder: Path, error: Exception) -> ModelFileError:
    """Why a folder is of no use."""
    fact = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
    return ModelFileError(
        f"A sentence encoder must be a whole folder with a BERT network; however {folder} is not: {fact:.200}; "
        "copy it again, or name another folder."
    )


def weights_checksum(folder: Path) -> str:
    """sha256 of everything that decides on the vectors, in hexadecimal. Cost: .1 s for 90 MB."""
    digest = hashlib.sha256()
    weights = SAFE_WEIGHTS if (folder / SAFE_WEIGHTS).is_file() else TORCH_WEIGHTS
    tokenizer = next((name for name in TOKENIZER_FILES if (folder / name).is_file()), "")
    for name in ("config.json", "modules.json", "1_Pooling/config.json", "tokenizer_config.json", tokenizer, weights):
        path = folder / name
        if path.is_file():
            digest.update(f"{name}:{path.stat().st_size}:".encode())
            with path.open("rb") as file:
                while block := file.read(2**20):
                    digest.update(block)
    return digest.hexdigest()


def _facts(config: Mapping[str, Any], folder: Path) -> EncoderFacts:
    expected = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    for name, value in expected.items():
        if config.get(name, value) != value or (name == "model_type" and name not in config):
            raise ValueError(f"its {name} is {config.get(name)!r:.50}, not {value!r}")
    sizes = {field: config[name] for field, name in SIZES.items()}
    are_sizes = all(type(size) is int and size > 0 for size in sizes.values())
    if not are_sizes or sizes["n_layers"] > MAX_LAYERS or sizes["width"] % sizes["n_heads"]:
        raise ValueError(f"its sizes are {sizes}")
    pooling, modules = _json(folder / "1_Pooling" / "config.json", {}), _json(folder / "modules.json", [])
    first_token = bool(pooling.get("pooling_mode_cls_token", False))
    if pooling and not first_token and not pooling.get("pooling_mode_mean_tokens", False):
        raise ValueError("its pooling is neither the mean nor the first token")
    kinds = [re.sub(r".*\.", "", str(module["type"])) for module in modules]
    if unknown := set(kinds) - {"Transformer", "Pooling", "Normalize"}:
        raise ValueError(f"it has a module {min(unknown):.50}")
    epsilon = float(config.get("layer_norm_eps", 1e-12))
    return EncoderFacts(**sizes, epsilon=epsilon, first_token=first_token, unit_length="Normalize" in kinds)


def _json(path: Path, default: Any) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else default


def _safe_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Reads the header only; a file that was cut short is refused."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except SafetensorError as error:
        raise ValueError(f"{path.name} is damaged ({error})") from error

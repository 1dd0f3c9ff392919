"""A pretrained BERT encoder, frozen: sentences as ids of word pieces -> one vector each.

Plain functions on the weights of the file: there is nothing to train, and a module would first be filled with random
numbers. Sources: Devlin et al., BERT, NAACL 2019; Reimers and Gurevych, Sentence-BERT, EMNLP 2019 (the mean of the
tokens); Wang et al., MiniLM, NeurIPS 2020 (the network this was measured with).
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from autodl_solver.data.examples import Array
from autodl_solver.nn.device import Compute, best_compute
from autodl_solver.nn.sentence_files import SAFE_WEIGHTS, TORCH_WEIGHTS, EncoderFacts, not_readable, read_facts
from autodl_solver.nn.threads import each_in_threads

BATCH_TOKENS = 4096
"""Padding included; what a thread computes at a time."""

WIDTH_STEP = 8
"""Sentences are padded to a multiple of so many pieces: few shapes, little padding."""


@dataclass(frozen=True)
class SentenceEncoder:
    """Weights on their device, in its precision.

    Attributes:
        facts: what the network is.
        weights: by the names of BERT; query, key and value of a layer as one, "attention.self".
        compute: device and precision.
    """

    facts: EncoderFacts
    weights: Mapping[str, Tensor]
    compute: Compute

    @classmethod
    def load(cls, folder: Path, compute: Compute | None = None) -> SentenceEncoder:
        """Reads a folder, see sentence_files.py.

        Args:
            folder: of the encoder.
            compute: device and precision; None for the best of this machine.
        Raises:
            ModelFileError: it holds no BERT encoder, or a damaged one.
        """
        facts, chosen = read_facts(folder), compute or best_compute()
        try:
            found = _tensors(folder)
            root = facts.root_of({name: tuple(tensor.shape) for name, tensor in found.items()})
        except (
            OSError,
            ValueError,
            RuntimeError,
            pickle.UnpicklingError,
            EOFError,
            TypeError,
            AttributeError,
        ) as error:
            raise not_readable(folder, error) from error
        weights = {name: found[root + name] for name in facts.shapes()}
        for k in range(facts.n_layers):
            of_layer = f"encoder.layer.{k}.attention.self"
            for part in ("weight", "bias"):
                joined = [weights.pop(f"{of_layer}.{name}.{part}") for name in ("query", "key", "value")]
                weights[f"{of_layer}.{part}"] = torch.cat(joined)
        kind = torch.bfloat16 if chosen.half else torch.float32
        return cls(facts, {name: one.to(chosen.device, kind) for name, one in weights.items()}, chosen)

    def embed(self, pieces: Array, offsets: Array) -> Array:
        """One vector a sentence. Sentences of one length are computed together, on all threads.

        Args:
            pieces: ids of all sentences, one after the other; those beyond the table count as the last.
            offsets: [n + 1], where each begins; none is longer than n_places, and none is empty.
        Returns:
            [n, width] float32
        """
        ids = np.clip(pieces, 0, self.facts.n_pieces - 1)
        lengths = np.diff(offsets)
        vectors = np.zeros((len(lengths), self.facts.width), np.float32)

        def work(batch: Array) -> None:
            width = min(_padded_width(lengths[batch]).max(), self.facts.n_places)
            there = np.arange(width) < lengths[batch][:, None]
            padded = np.zeros(there.shape, np.int64)
            padded[there] = ids[_spans(offsets[batch], lengths[batch])]
            vectors[batch] = self._vectors(torch.as_tensor(padded), torch.as_tensor(there)).numpy()

        each_in_threads(work, _batches(lengths))
        return vectors

    def _vectors(self, ids: Tensor, there: Tensor) -> Tensor:
        """[N, T] ids and where there are any -> [N, width] float32."""
        device, weights = self.compute.device, self.weights
        ids, there = ids.to(device), there.to(device)
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = self._normalised(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        mask = torch.zeros(there.shape, dtype=x.dtype, device=device).masked_fill_(~there, -torch.inf)[:, None, None, :]
        for k in range(self.facts.n_layers):
            x = self._layer(x, mask, f"encoder.layer.{k}.")
        x = x.float()
        if self.facts.first_token:
            vectors = x[:, 0]
        else:
            vectors = (x * there[..., None]).sum(dim=1) / there.sum(dim=1, keepdim=True)
        return (functional.normalize(vectors) if self.facts.unit_length else vectors).cpu()

    def _layer(self, x: Tensor, mask: Tensor, layer: str) -> Tensor:
        n, t, width = x.shape
        joined = self._linear(x, f"{layer}attention.self")
        query, key, value = joined.view(n, t, 3, self.facts.n_heads, -1).permute(2, 0, 3, 1, 4)  # [N, heads, T, D] each
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        seen = self._linear(seen.transpose(1, 2).reshape(n, t, width), f"{layer}attention.output.dense")
        x = self._normalised(x + seen, f"{layer}attention.output.LayerNorm")
        inner = functional.gelu(self._linear(x, f"{layer}intermediate.dense"))
        return self._normalised(x + self._linear(inner, f"{layer}output.dense"), f"{layer}output.LayerNorm")

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _normalised(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return functional.layer_norm(x, x.shape[-1:], weight, bias, self.facts.epsilon)


def _tensors(folder: Path) -> Mapping[str, Tensor]:
    if (folder / SAFE_WEIGHTS).is_file():
        from safetensors.torch import load_file

        return dict(load_file(folder / SAFE_WEIGHTS))
    found = torch.load(folder / TORCH_WEIGHTS, map_location="cpu", weights_only=True)
    return {str(name): tensor for name, tensor in found.items() if isinstance(tensor, Tensor)}


def _padded_width(lengths: Array) -> Array:
    return np.asarray(-(-lengths // WIDTH_STEP) * WIDTH_STEP)


def _batches(lengths: Array) -> list[Array]:
    """Rows of one padded width together, the longest first, so that threads end at about the same time."""
    widths = _padded_width(lengths)
    batches: list[Array] = []
    for width in np.unique(widths)[::-1]:
        rows, size = np.flatnonzero(widths == width), max(BATCH_TOKENS // int(width), 1)
        batches.extend(rows[start : start + size] for start in range(0, len(rows), size))
    return batches


def _spans(starts: Array, lengths: Array) -> Array:
    """Indices of the values of each span, one after the other."""
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.asarray(np.repeat(starts, lengths) + within)

"""A small transformer encoder on token ids.

Layers of attention and of feed-forward, normalised in front of each, within windows of a document: what they cost grows
with its length, not with the square of it. What the tokens of all windows say is pooled, and the mean embedding stands
beside it, which learns within seconds while attention still learns to look.
Sources: Vaswani et al., Attention is all you need, NeurIPS 2017; Xiong et al., On layer normalization in the
transformer architecture, ICML 2020; for windows Pappagari et al., Hierarchical transformers for long document
classification, ASRU 2019.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl_solver.nn.device import best_compute
from autodl_solver.nn.text_network import TokenNetwork, mean_embedding


class TextTransformer(TokenNetwork):
    """Ids [n, n_tokens] int64, PADDING behind the last token -> logits [n, n_classes].

    Layers run in half precision where the machine is faster with it, the head in full.

    Args:
        n_tokens: rows of the embedding table, PADDING and UNKNOWN among them.
        n_classes: logits of a row.
        width: of an embedding and of a layer.
        n_layers, n_heads: of the encoder.
        window: tokens that see each other, at most; longer documents are cut into windows of equal length.
        dropout: of the features in front of the head.
        inner_dropout: of what a layer adds.
        forgetting: share of the tokens that are shown as UNKNOWN in training.
    """

    def __init__(
        self,
        n_tokens: int,
        n_classes: int,
        *,
        width: int = 64,
        n_layers: int = 1,
        n_heads: int = 4,
        window: int = 64,
        dropout: float = 0.4,
        inner_dropout: float = 0.1,
        forgetting: float = 0.15,
    ) -> None:
        super().__init__(n_tokens, width, forgetting)
        self.arguments = {  # a saved network is built again from them
            "n_tokens": n_tokens,
            "n_classes": n_classes,
            "width": width,
            "n_layers": n_layers,
            "n_heads": n_heads,
            "window": window,
            "dropout": dropout,
            "inner_dropout": inner_dropout,
            "forgetting": forgetting,
        }
        self.places = nn.Embedding(window, width)
        nn.init.normal_(self.places.weight, std=0.1)
        self.layers = nn.ModuleList(_Layer(width, n_heads, inner_dropout) for _ in range(n_layers))
        self.normalised = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(3 * width, n_classes)
        self._window = window

    def forward(self, ids: Tensor) -> Tensor:
        """See the class."""
        embedded, there = self.embedded(ids)
        encoded = functional.relu(self._encoded(embedded, there))  # [N, W * S, E], zero where nothing is
        n_there = there.sum(dim=1, keepdim=True).clamp(min=1)
        features = [mean_embedding(embedded, there), encoded.sum(dim=1) / n_there, encoded.amax(dim=1)]
        with torch.autocast(ids.device.type, enabled=False):  # scores of eight bits would be equal too often
            return torch.as_tensor(self.head(self.dropout(torch.cat(features, dim=1).float())))

    def _encoded(self, embedded: Tensor, there: Tensor) -> Tensor:
        """[N, W * S, E] float32: what W windows of S tokens say, at each token; windows without tokens cost nothing."""
        n, n_tokens, width = embedded.shape
        n_windows = math.ceil(n_tokens / self._window)
        size = math.ceil(n_tokens / n_windows)
        beyond = n_windows * size - n_tokens
        windows = functional.pad(embedded, (0, 0, 0, beyond)).view(-1, size, width)
        seen = functional.pad(there, (0, beyond)).view(-1, size)
        filled = seen.any(dim=1)
        x, seen = windows[filled], seen[filled]
        with best_compute().autocast():
            x = x + self.places.weight[:size]
            for layer in self.layers:
                x = layer(x, seen[:, None, None])
            x = self.normalised(x.float()) * seen[..., None]
        encoded = torch.zeros_like(windows, dtype=x.dtype)
        encoded[filled] = x
        return encoded.view(n, n_windows * size, width)


class _Layer(nn.Module):
    """Adds to [n, n_tokens, width] what the tokens see in each other, then what each makes of it."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self._n_heads = n_heads
        self.before_attention, self.before_inner = nn.LayerNorm(width), nn.LayerNorm(width)
        self.joined = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.inner = nn.Linear(width, 4 * width)
        self.outer = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        n, n_tokens, width = x.shape
        joined = self.joined(self.before_attention(x)).view(n, n_tokens, 3, self._n_heads, -1)
        query, key, value = joined.permute(2, 0, 3, 1, 4)  # [N, heads, T, D] each
        looked = _looked(query, key, value, seen)
        x = x + self.dropout(self.out(looked.transpose(1, 2).reshape(n, n_tokens, width)))
        return torch.as_tensor(x + self.dropout(self.outer(functional.gelu(self.inner(self.before_inner(x))))))


def _looked(query: Tensor, key: Tensor, value: Tensor, seen: Tensor) -> Tensor:
    """What each token finds in the others; on a CPU in full precision, of which torch computes gradients of attention
    three to five times as fast as of bfloat16."""
    if query.device.type != "cpu":
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
    with torch.autocast("cpu", enabled=False):
        return functional.scaled_dot_product_attention(query.float(), key.float(), value.float(), attn_mask=seen)

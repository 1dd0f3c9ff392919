"""A small convolutional network on token ids.

Embeddings, filters of three widths whose greatest answer counts wherever it occurs, and the mean embedding beside them.
Sources: Kim, Convolutional neural networks for sentence classification, EMNLP 2014; Joulin et al., Bag of tricks for
efficient text classification, EACL 2017 (the mean).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

PADDING, UNKNOWN = 0, 1


class TokenNetwork(nn.Module):
    """What networks on token ids share: embeddings, some of which training forgets, and their mean.

    A subclass has `arguments`, from which a saved network is built again, and a linear `head`.

    Args:
        n_tokens: rows of the embedding table, PADDING and UNKNOWN among them.
        width: of an embedding.
        forgetting: share of the tokens that are shown as UNKNOWN in training.
    """

    head: nn.Linear

    def __init__(self, n_tokens: int, width: int, forgetting: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_tokens, width, sparse=True)
        nn.init.normal_(self.embedding.weight, std=0.3)
        self._forgetting = forgetting

    def embedded(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Ids [n, n_tokens] -> embeddings [n, n_tokens, width], zero for PADDING; where there are tokens, bool."""
        there = ids != PADDING
        if self.training:
            forgotten = torch.rand(ids.shape, device=ids.device) < self._forgetting
            ids = torch.where(there & forgotten, UNKNOWN, ids)
        return self.embedding(ids) * there[..., None], there


def mean_embedding(embedded: Tensor, there: Tensor) -> Tensor:
    """[n, width]: the sum over the root of their number, so that the size does not shrink with the length."""
    return embedded.sum(dim=1) / there.sum(dim=1, keepdim=True).clamp(min=1).sqrt()


class TextNetwork(TokenNetwork):
    """Ids [n, n_tokens] int64, PADDING behind the last token -> logits [n, n_classes].

    Args:
        n_tokens: rows of the embedding table, PADDING and UNKNOWN among them.
        n_classes: logits of a row.
        width: of an embedding.
        n_filters: of each size.
        sizes: tokens that a filter sees.
        dropout: of the features in front of the head.
        forgetting: share of the tokens that are shown as UNKNOWN in training.
    """

    def __init__(
        self,
        n_tokens: int,
        n_classes: int,
        *,
        width: int = 64,
        n_filters: int = 64,
        sizes: Sequence[int] = (2, 3, 5),
        dropout: float = 0.4,
        forgetting: float = 0.15,
    ) -> None:
        super().__init__(n_tokens, width, forgetting)
        self.arguments = {  # a saved network is built again from them
            "n_tokens": n_tokens,
            "n_classes": n_classes,
            "width": width,
            "n_filters": n_filters,
            "sizes": tuple(sizes),
            "dropout": dropout,
            "forgetting": forgetting,
        }
        self.filters = nn.Linear(width, n_filters * sum(sizes), bias=False)
        self.bias = nn.Parameter(torch.zeros(n_filters * len(sizes)))
        self._sizes, self._n_filters = tuple(sizes), n_filters
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width + n_filters * len(sizes), n_classes)

    def forward(self, ids: Tensor) -> Tensor:
        """See the class."""
        embedded, there = self.embedded(ids)
        mean = mean_embedding(embedded, there)
        strongest = functional.relu(self._strongest(embedded) + self.bias)
        return torch.as_tensor(self.head(self.dropout(torch.cat([mean, strongest], dim=1))))

    def _strongest(self, embedded: Tensor) -> Tensor:
        """[N, F * n_sizes]: the greatest answer of each filter, wherever it occurs.

        One product for all positions of all filters, and sums of it shifted: a convolution would be compiled anew for
        every length of documents. One position behind the end sees nothing, however long the padding.
        """
        products = self.filters(functional.pad(embedded, (0, 0, 0, max(self._sizes))))  # [N, T + S, F * sum]
        n_places = embedded.shape[1] + 1
        shares = iter(products.split(self._n_filters, dim=2))
        answers = []
        for size in self._sizes:
            answer = sum(next(shares)[:, k : k + n_places] for k in range(size))  # [N, T + 1, F]
            answers.append(torch.as_tensor(answer).amax(dim=1))
        return torch.cat(answers, dim=1).float()

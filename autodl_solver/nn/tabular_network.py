"""A perceptron for tables that is an ensemble: members share all weights but how they scale the input and read the end.

Source: Gorishniy, Kotelnikov and Babenko, TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling,
ICLR 2025 (https://arxiv.org/abs/2410.24210), the variant "mini" with embedded numbers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class ColumnEmbedding(nn.Module):
    """Each column's numbers, mixed linearly and rectified, by weights of its own.

    Shape: [n, n_columns, n_values] -> [n, n_columns * width].
    """

    def __init__(self, n_columns: int, n_values: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_columns, n_values, width).uniform_(-1, 1) / math.sqrt(n_values / 2))
        self.bias = nn.Parameter(torch.empty(n_columns, 1, width).uniform_(-1, 1) / math.sqrt(n_values))

    def forward(self, x: Tensor) -> Tensor:
        mixed = torch.baddbmm(self.bias, x.transpose(0, 1), self.weight)  # [n_columns, n, width]
        return torch.relu(mixed).transpose(0, 1).flatten(1)


class TabularNetwork(nn.Module):
    """Embedding, hidden layers, and an output for each member.

    Args:
        n_columns, n_values: of the encoded rows.
        n_outputs: logits.
        n_members: of the ensemble.
        embedding_width: numbers a column becomes.
        hidden: widths of the layers that members share.
        dropout: share of the hidden values that a training step leaves out, the same for all members.

    Shape: [n, n_columns, n_values] -> [n, n_members, n_outputs] logits.
    """

    def __init__(
        self,
        n_columns: int,
        n_values: int,
        n_outputs: int,
        *,
        n_members: int,
        embedding_width: int,
        hidden: tuple[int, ...],
        dropout: float,
    ) -> None:
        super().__init__()
        self.arguments = {  # a saved network is built again from them
            "n_columns": n_columns,
            "n_values": n_values,
            "n_outputs": n_outputs,
            "n_members": n_members,
            "embedding_width": embedding_width,
            "hidden": tuple(hidden),
            "dropout": dropout,
        }
        self.embedding = ColumnEmbedding(n_columns, n_values, embedding_width)
        width = n_columns * embedding_width
        # a random sign for each column and member, which makes the members differ from the beginning
        signs = torch.randint(0, 2, (n_members, n_columns)).float() * 2 - 1
        self.scale = nn.Parameter(signs.repeat_interleave(embedding_width, dim=1))
        widths = (width, *hidden)
        self.trunk = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, hidden, strict=False))
        self.dropout = dropout
        width = widths[-1]
        bound = 1 / math.sqrt(width)
        self.head = nn.Parameter(torch.empty(n_members, width, n_outputs).uniform_(-bound, bound))
        self.head_bias = nn.Parameter(torch.zeros(n_members, 1, n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        values = self.embedding(x) * self.scale[:, None]  # [n_members, n, width]
        for layer in self.trunk:
            values = torch.relu(layer(values))
            if self.training and self.dropout:
                # one mask for all members: to draw one for each would cost as much as the layer
                values = values * (torch.rand(values.shape[1:]) >= self.dropout) / (1 - self.dropout)
        return torch.baddbmm(self.head_bias, values, self.head).transpose(0, 1)

"""The network on token ids."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autodl_solver.nn.text_network import PADDING, TextNetwork


def network(**options: object) -> TextNetwork:
    torch.manual_seed(0)
    return TextNetwork(20, 3, width=8, n_filters=4, **options).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("n_tokens", [1, 2, 40])
def test_documents_of_any_length_get_logits(n_tokens: int) -> None:
    assert network()(torch.ones(5, n_tokens, dtype=torch.int64)).shape == (5, 3)


def test_padding_changes_nothing() -> None:
    ids = torch.tensor([[3, 4, 5, 6, 7, 8, 9, 2]])
    padded = torch.cat([ids, torch.full((1, 6), PADDING)], dim=1)
    assert torch.allclose(network()(ids), network()(padded), atol=1e-5)


def test_the_filters_are_a_convolution() -> None:
    one = network(sizes=(3,))
    embedded = torch.randn(2, 7, 8)
    kernel = one.filters.weight.reshape(3, 4, 8).permute(1, 2, 0)  # [size, filter, width] -> [filter, width, size]
    expected = nn.functional.conv1d(nn.functional.pad(embedded.transpose(1, 2), (0, 3)), kernel).amax(dim=2)
    assert torch.allclose(one._strongest(embedded), expected, atol=1e-5)


def test_tokens_are_forgotten_in_training_only() -> None:
    ids = torch.arange(2, 18).reshape(1, -1)
    careful = network(dropout=0.0, forgetting=0.5)
    assert torch.equal(careful(ids), careful(ids))
    assert not torch.equal(careful.train()(ids), careful(ids))

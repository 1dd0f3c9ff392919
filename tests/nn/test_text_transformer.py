"""The transformer encoder on token ids."""

from __future__ import annotations

import pytest
import torch

from autodl_solver.nn import text_transformer
from autodl_solver.nn.device import Compute
from autodl_solver.nn.text_network import PADDING
from autodl_solver.nn.text_transformer import TextTransformer


@pytest.fixture(autouse=True)
def _full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_transformer, "best_compute", lambda: Compute(torch.device("cpu"), False))


def network(**options: object) -> TextTransformer:
    torch.manual_seed(0)
    return TextTransformer(20, 3, **{"width": 16, "n_layers": 2, "n_heads": 2, "window": 8, **options}).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("n_tokens", [1, 7, 8, 9, 40])
def test_documents_of_any_length_get_logits(n_tokens: int) -> None:
    assert network()(torch.ones(5, n_tokens, dtype=torch.int64)).shape == (5, 3)


@pytest.mark.parametrize("n_padding", [1, 4])
def test_padding_within_a_window_changes_nothing(n_padding: int) -> None:
    ids = torch.tensor([[3, 4, 5, 6], [7, 8, PADDING, PADDING], [PADDING] * 4])
    padded = torch.cat([ids, torch.full((3, n_padding), PADDING)], dim=1)
    assert torch.allclose(network()(ids), network()(padded), atol=1e-5)
    assert torch.isfinite(network()(ids)).all()  # one of them is empty


def test_the_order_of_tokens_counts_and_so_does_what_stands_near() -> None:
    first, second = torch.tensor([[3, 4, 5, 6]]), torch.tensor([[4, 3, 5, 6]])
    assert not torch.allclose(network()(first), network()(second), atol=1e-4)


def test_windows_do_not_see_each_other_and_empty_ones_are_left_out() -> None:
    one = network()
    ids = torch.tensor([[3, 4, 5, 6, 7, 8, 9, 2, 3, 3, 3, 3, 3, 3, 3, 3], [3, 4, 5, 6, 7, 8, 9, 2, *[PADDING] * 8]])
    encoded = one._encoded(one.embedding(ids), ids != PADDING)
    assert torch.allclose(encoded[0, :8], encoded[1, :8], atol=1e-5)
    assert (encoded[1, 8:] == 0).all()


def test_half_precision_says_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = torch.arange(2, 18).reshape(2, 8)
    full = network()(ids)
    monkeypatch.setattr(text_transformer, "best_compute", lambda: Compute(torch.device("cpu"), True))
    half = network()(ids)
    assert half.dtype == torch.float32
    assert torch.allclose(full, half, atol=0.05)


def test_all_weights_but_those_of_absent_tokens_and_places_learn() -> None:
    one = network().train()
    one(torch.randint(2, 20, (6, 12))).square().sum().backward()
    for name, weight in one.named_parameters():
        assert weight.grad is not None, name
        assert float(weight.grad.to_dense().abs().sum()) > 0, name

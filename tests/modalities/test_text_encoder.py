"""A tiny sentence encoder in the format of Hugging Face, made here: found, read, refused, used, saved."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from text_documents import ENGLISH, documents, info
from torch import Tensor, nn

from autodl_solver.anytime.ensemble import Temperature
from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.errors import ModelFileError
from autodl_solver.metrics import nauc
from autodl_solver.modalities.text import SPEC, sentences
from autodl_solver.modalities.text.pipeline import TextPipeline
from autodl_solver.nn.device import Compute
from autodl_solver.nn.pretrained_files import FOLDER_VARIABLE
from autodl_solver.nn.sentence_encoder import SentenceEncoder
from autodl_solver.nn.sentence_files import encoder_folder
from autodl_solver.predictor import Part, Predictor
from autodl_solver.saving import read_model, write_model

pytest.importorskip("tokenizers")

PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "s", "##at", "mat", "##ch", "!", "天", "today")
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "vocab_size": len(PIECES),
    "max_position_embeddings": 12,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-6,
}
MODULES = [{"type": f"sentence_transformers.models.{name}"} for name in ("Transformer", "Pooling", "Normalize")]
FULL = Compute(torch.device("cpu"), False)


def random_weights(seed: int = 0) -> dict[str, Tensor]:
    """By the names of BERT, its head and a buffer included that nobody needs."""
    random = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random) * 0.4

    weights = {f"embeddings.{name}_embeddings.weight": drawn(n, 16) for name, n in
               {"word": len(PIECES), "position": 12, "token_type": 2}.items()}  # fmt: skip
    linears = {"pooler.dense": (16, 16)}
    norms = ["embeddings.LayerNorm"]
    for k in range(2):
        layer = f"encoder.layer.{k}."
        linears |= {f"{layer}attention.self.{name}": (16, 16) for name in ("query", "key", "value")}
        linears |= {f"{layer}attention.output.dense": (16, 16), f"{layer}intermediate.dense": (24, 16)}
        linears |= {f"{layer}output.dense": (16, 24)}
        norms += [f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"]
    for name, shape in linears.items():
        weights |= {f"{name}.weight": drawn(*shape), f"{name}.bias": drawn(shape[0])}
    for name in norms:
        weights |= {f"{name}.weight": 1 + drawn(16), f"{name}.bias": drawn(16)}
    return weights | {"embeddings.position_ids": torch.arange(12)[None]}


def make_encoder(folder: Path, seed: int = 0, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    (folder / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    (folder / "modules.json").write_text(json.dumps(MODULES))
    save_file(random_weights(seed), folder / "model.safetensors")
    return folder


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """On disk, and named by the environment."""
    folder = make_encoder(tmp_path / "encoder")
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    return folder


@pytest.fixture(autouse=True)
def _no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "PACKAGE", "a_package_that_nobody_has")


def names_of(vocabulary: tuple[str, ...] = ENGLISH) -> list[str]:
    return [family.name for family in SPEC.make_plan(info(vocabulary))]


def vector_of_torch(weights: dict[str, Tensor], ids: list[int]) -> np.ndarray:
    """The same network out of torch's own layers, in one piece and one sentence at a time."""
    table = {name: weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")}
    x = table["word"][ids] + table["position"][: len(ids)] + table["token_type"][0]
    x = nn.functional.layer_norm(
        x, (16,), weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"], 1e-6
    )
    for k in range(2):
        layer = nn.TransformerEncoderLayer(16, 4, 24, 0.0, "gelu", 1e-6, batch_first=True)
        found = {name[16:]: one for name, one in weights.items() if name.startswith(f"encoder.layer.{k}.")}
        own = {
            "linear1": "intermediate.dense",
            "linear2": "output.dense",
            "norm1": "attention.output.LayerNorm",
            "norm2": "output.LayerNorm",
            "self_attn.out_proj": "attention.output.dense",
        }
        state = {f"{a}.{part}": found[f"{b}.{part}"] for a, b in own.items() for part in ("weight", "bias")}
        for part in ("weight", "bias"):
            joined = [found[f"attention.self.{name}.{part}"] for name in ("query", "key", "value")]
            state[f"self_attn.in_proj_{part}"] = torch.cat(joined)
        layer.load_state_dict(state)
        x = layer.eval()(x[None])[0]
    mean = x.mean(dim=0)
    return np.asarray((mean / mean.norm()).detach().numpy())


# ------------------------------------------------------------------------------------------------ the network


def test_vectors_are_those_of_the_layers_of_torch(encoder: Path) -> None:
    sentences_of_ids = [[2, 4, 5, 3], [2, 3], [2, 6, 7, 8, 9, 10, 5, 5, 4, 3], [2, 10, 3]]
    offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in sentences_of_ids])])
    found = SentenceEncoder.load(encoder, FULL).embed(np.concatenate(sentences_of_ids), offsets)
    expected = np.stack([vector_of_torch(random_weights(), ids) for ids in sentences_of_ids])
    assert found == pytest.approx(expected, abs=1e-5)


def test_half_precision_says_nearly_the_same(encoder: Path) -> None:
    ids, offsets = np.array([2, 4, 5, 3, 2, 10, 3]), np.array([0, 4, 7])
    full = SentenceEncoder.load(encoder, FULL).embed(ids, offsets)
    half = SentenceEncoder.load(encoder, Compute(torch.device("cpu"), True)).embed(ids, offsets)
    assert (full * half).sum(axis=1) == pytest.approx(1, abs=0.02)


def test_weights_may_lie_in_a_file_of_torch_and_below_a_head(encoder: Path, tmp_path: Path) -> None:
    other = make_encoder(tmp_path / "other")
    (other / "model.safetensors").unlink()
    torch.save({f"bert.{name}": one for name, one in random_weights().items()}, other / "pytorch_model.bin")
    ids, offsets = np.array([2, 4, 5, 3]), np.array([0, 4])
    first, second = (SentenceEncoder.load(folder, FULL).embed(ids, offsets) for folder in (encoder, other))
    assert np.array_equal(first, second)


def test_the_first_token_answers_where_the_folder_says_so(encoder: Path) -> None:
    (encoder / "1_Pooling").mkdir()
    pooling = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (encoder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    loaded = SentenceEncoder.load(encoder, FULL)
    assert loaded.facts.first_token
    assert not np.allclose(
        loaded.embed(np.array([2, 4, 3]), np.array([0, 3])), vector_of_torch(random_weights(), [2, 4, 3])
    )


# ------------------------------------------------------------------------------------------------ the view


def view_of(*rows: list[float], vocabulary: tuple[str, ...] = ENGLISH, fidelity: int = 12) -> np.ndarray:
    vectors = TextPipeline(info(vocabulary)).transform(documents(*rows), "sentence", fidelity)
    assert isinstance(vectors, np.ndarray)
    return vectors


@pytest.mark.parametrize(
    ("row", "pieces"),
    [
        ([0, 1, 2, 4, 5], [4, 5, 6, 7, 5, 9, 10]),  # the cat s ##at cat ##ch !
        ([], []),  # an empty document
        ([3], [8]),  # one token
        ([99, 0, -4, 1e7], [4]),  # ids outside the vocabulary have no pieces
        ([np.nan, 0], [4, 4]),  # no id at all reads as 0, as in the other views
        ([0, 1] * 50_000, [4, 5] * 5),  # a document of 100,000 tokens: the places of the network bound what is read
    ],
)
def test_documents_are_read_as_pieces_of_their_words(encoder: Path, row: list[float], pieces: list[int]) -> None:
    expected = vector_of_torch(random_weights(), [2, *pieces, 3])
    found = view_of(row, fidelity=128)[0]
    assert float(found @ expected) > 0.98  # half precision where the machine has it
    assert np.isfinite(found).all()


def test_a_tokenizer_in_one_file_cuts_alike_whatever_it_says_of_padding_and_length(encoder: Path) -> None:
    from tokenizers.implementations import BertWordPieceTokenizer

    rows = [[0, 1, 2, 4, 5], [2] * 9]
    expected = view_of(*rows)
    tokenizer = BertWordPieceTokenizer(str(encoder / "vocab.txt"))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=4)
    tokenizer.save(str(encoder / "tokenizer.json"))
    (encoder / "vocab.txt").unlink()
    sentences._found.cache_clear()
    assert np.array_equal(view_of(*rows), expected)


def test_chinese_characters_are_pieces(encoder: Path) -> None:
    found = view_of([0, 1], vocabulary=("天", "today"))[0]
    assert float(found @ vector_of_torch(random_weights(), [2, 11, 12, 3])) > 0.98


def test_each_row_depends_on_itself_only(encoder: Path) -> None:
    rows = [[0, 1, 2], [], [5, 4, 3, 2], [1], [0] * 30]
    together = view_of(*rows)
    assert together == pytest.approx(np.concatenate([view_of(row) for row in rows]), abs=0.02)
    assert view_of().shape == (0, 16)


# ------------------------------------------------------------------------------------------------ the plan


def test_the_family_is_offered_where_an_encoder_knows_the_words(encoder: Path) -> None:
    assert names_of() == ["terms", "common terms", "spelling", "sentence", "network", "transformer"]
    assert "sentence" not in names_of(())  # no vocabulary
    assert "sentence" not in names_of(("昨", "夜", "雨", "the"))  # another language


def test_without_an_encoder_the_plan_is_as_ever_and_one_line_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    sentences._found.cache_clear()
    with caplog.at_level(logging.INFO):
        assert [names_of(), names_of()] == [["terms", "common terms", "spelling", "network", "transformer"]] * 2
    assert len(caplog.messages) == 1


def test_a_folder_within_the_named_one_is_found_and_so_is_the_package(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert encoder_folder(tmp_path) == encoder
    assert encoder_folder(tmp_path / "nowhere") is None
    monkeypatch.delenv(FOLDER_VARIABLE)
    make_encoder(tmp_path / "packages" / "made_up_encoder" / "model")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setattr(sentences, "PACKAGE", "made_up_encoder")
    assert "sentence" in names_of()


def cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def without_a_weight(folder: Path) -> None:
    weights = random_weights()
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, folder / "model.safetensors")


def with_objects(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"model": nn.Linear(2, 2)}, folder / "pytorch_model.bin")


def no_torch_file(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"PK\x03\x04 not at all")


DAMAGED: dict[str, Callable[[Path], object]] = {
    "another kind of network": lambda folder: make_encoder(folder, model_type="gpt2"),
    "another activation": lambda folder: make_encoder(folder, hidden_act="relu"),
    "sizes that do not fit": lambda folder: make_encoder(folder, hidden_size=32),
    "sizes that are none": lambda folder: make_encoder(folder, num_attention_heads="four"),
    "more layers than weights": lambda folder: make_encoder(folder, num_hidden_layers=3),
    "no JSON": lambda folder: (folder / "config.json").write_text("{"),
    "a list": lambda folder: (folder / "config.json").write_text("[]"),
    "cut short": cut_short,
    "a weight is missing": without_a_weight,
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "objects to be unpickled": with_objects,
    "no file of torch": no_torch_file,
    "a tokenizer that is none": lambda folder: (folder / "tokenizer.json").write_text("{}"),
    "an unknown module": lambda folder: (folder / "modules.json").write_text('[{"type": "a.Dense"}]'),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_or_foreign_folder_costs_one_line_of_the_log(
    damage: str, encoder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    DAMAGED[damage](encoder)
    with caplog.at_level(logging.INFO):
        assert "sentence" not in names_of()
    assert len(caplog.messages) == 1
    assert str(encoder) in caplog.messages[0]


# ------------------------------------------------------------------------------------------------ learning and saving


def fitted() -> tuple[Predictor, Any, np.ndarray]:
    rng = np.random.default_rng(0)
    rows = [list(rng.integers(0, 3, 6) + 3 * (k % 2)) for k in range(80)]  # the words of each class are its own
    x, y = documents(*rows), np.eye(2, dtype=np.float32)[np.arange(80) % 2]
    facts = info(ENGLISH)
    family = next(one for one in SPEC.make_plan(facts) if one.view == "sentence")
    pipeline = TextPipeline(facts)
    learner = family.make_learner(2, 0)
    learner.fit(Examples(pipeline.transform(x, family.view, 12), y), Budget())
    part = Part("sentence", learner, family.view, 12, 1.0, Temperature(1.0))
    return Predictor(pipeline, (part,), np.full(2, 0.5)), x, y


def test_the_family_learns(encoder: Path) -> None:
    predictor, x, y = fitted()
    assert nauc(y, predictor.predict_proba(x)) > 0.9


def test_a_saved_model_asks_for_the_encoder_that_it_was_fitted_with(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor, x, _ = fitted()
    write_model(tmp_path / "model", {"predictor": predictor}, {})
    loaded = read_model(tmp_path / "model")[0]["predictor"]
    assert loaded.predict_proba(x) == pytest.approx(predictor.predict_proba(x), abs=1e-6)
    write_model(tmp_path / "again", {"predictor": loaded}, {})
    other = make_encoder(tmp_path / "elsewhere", seed=1)
    for name, fault in {str(other): "sha256", str(tmp_path / "nowhere"): "there is none"}.items():
        monkeypatch.setenv(FOLDER_VARIABLE, name)
        for model in ("model", "again"):
            with pytest.raises(ModelFileError, match=fault):
                read_model(tmp_path / model)[0]["predictor"].predict_proba(x)


def test_word_pieces_are_not_saved(encoder: Path) -> None:
    predictor, _, _ = fitted()
    saved = predictor.pipeline._sentences.attributes_to_save()  # type: ignore[attr-defined]
    assert saved["_pieces"].size == 0
    assert math.isclose(float((saved["_place"] == -1).mean()), 1)

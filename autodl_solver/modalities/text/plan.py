"""Linear on weighted terms, the same on pieces of words where words are built of letters, networks on the tokens.

Where a pretrained sentence encoder is on disk (sentences.py), linear on its vectors too.
"""

from __future__ import annotations

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.base import Learner
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.modalities.text.learners import TermLearner, make_common_term_learner
from autodl_solver.modalities.text.sentences import encoder_for
from autodl_solver.modalities.text.spelling import is_spelled

MAX_TOKENS = (500,)
"""Whole documents gained nothing over the first 200 tokens (docs/experiments.md)."""

FIRST_TOKENS = (100, *MAX_TOKENS)
"""Of the family that answers first: 100 tokens of a long document take a quarter of the time of 500."""

SPELLED_TOKENS = (300,)
SPELLED_ROWS = 45_000
"""A document has up to four times as many pieces as terms."""

FIRST_ROWS = 1000
MAX_ROWS = 100_000
"""Terms of so many documents of 200 tokens take 300 MB, and a learner copies them several times."""

SENTENCE_PIECES = (32, 128)
"""Beyond 128 the encoders that are common were not trained."""

NETWORK_TOKENS = (256,)
NETWORK_ROWS = 200_000
NETWORK_S = 4.0

TRANSFORMER_S = 120.0
"""A step takes 1.3 to 1.9 times as long as the network's. Beside it, for twice the seconds, it adds .001 to .002 to the
blend; no run of 50 s ever chose it. So it is left to those who have many minutes (docs/experiments.md)."""


def make_plan(info: DatasetInfo) -> Plan:
    """Growing subsets of the beginnings of documents, the family that learns most from few rows in front."""
    families = [
        Family("terms", TermLearner, FIRST_TOKENS, first_n=FIRST_ROWS, max_n=MAX_ROWS, kind="terms"),
        Family("common terms", make_common_term_learner, MAX_TOKENS, first_n=FIRST_ROWS, max_n=MAX_ROWS, kind="terms"),
    ]
    if is_spelled(info.vocabulary):
        families.append(
            Family(
                "spelling",
                TermLearner,
                SPELLED_TOKENS,
                view="spelling",
                first_n=FIRST_ROWS,
                max_n=SPELLED_ROWS,
            )
        )
    if encoder_for(info.vocabulary) is not None:
        families.append(
            Family(
                "sentence",
                standardised_linear,
                SENTENCE_PIECES,
                view="sentence",
                first_n=FIRST_ROWS,
                max_n=MAX_ROWS,
            )
        )
    network = Family("network", _make_network, NETWORK_TOKENS, view="tokens", first_s=NETWORK_S, max_n=NETWORK_ROWS)
    transformer = Family(
        "transformer", _make_transformer, NETWORK_TOKENS, view="tokens", first_s=TRANSFORMER_S, max_n=NETWORK_ROWS
    )
    return [*families, network, transformer]


def _make_network(n_classes: int, seed: int) -> Learner:
    from autodl_solver.learners.network_text import TextNetworkLearner  # torch takes seconds to import

    return TextNetworkLearner(n_classes, seed)


def _make_transformer(n_classes: int, seed: int) -> Learner:
    from autodl_solver.learners.network_text import TextTransformerLearner  # see above

    return TextTransformerLearner(n_classes, seed)

"""How the facts of a dataset are worded, alike on the terminal and on the page."""

from __future__ import annotations

from autodl_solver.browse.overview import Overview
from autodl_solver.modalities import Modality

N_SIZES = 4
"""Sizes of images that are listed."""


def printable(text: str) -> str:
    """The text without what would steer a terminal or break a page: control characters and lone surrogates."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def number(value: float) -> str:
    """Four digits at most behind the point; whole numbers in groups of three."""
    if value != value:
        return "-"
    return f"{int(value):,}" if value == int(value) and abs(value) < 1e15 else f"{value:.4g}"


def facts_of(overview: Overview) -> list[tuple[str, str]]:
    """Name and value of each fact."""
    info, per_row = overview.info, overview.labels_per_row
    facts = [
        ("kind", overview.modality.value),
        ("training rows", number(overview.n_train)),
        ("test rows", "-" if overview.n_test is None else number(overview.n_test)),
        ("classes", number(info.n_classes)),
    ]
    if per_row[0] != 1 or per_row[2] != 1:
        facts.append(("labels of a row", f"{number(per_row[0])} to {number(per_row[2])}, mean {per_row[1]:.2f}"))
    facts += _shape_facts(overview)
    if overview.values[0] == overview.values[0] and overview.modality is not Modality.TEXT:
        facts.append(("values", f"{number(overview.values[0])} to {number(overview.values[1])}"))
        facts.append(("missing values", f"{overview.missing:.1%}" if overview.missing else "none"))
    facts.append(("on disk", f"{overview.n_bytes / 1e6:,.1f} MB"))
    return facts


def _shape_facts(overview: Overview) -> list[tuple[str, str]]:
    """What rows are like, as far as their kind has it."""
    info, modality = overview.info, overview.modality
    spec = info.specs[0]
    lengths = f"{number(overview.lengths[0])} to {number(overview.lengths[2])}, median {number(overview.lengths[1])}"
    if overview.lengths[0] == overview.lengths[2]:
        lengths = number(overview.lengths[0])
    sizes = [f"{rows} x {cols}" for rows, cols in list(overview.sizes)[:N_SIZES]]
    more = f" and {len(overview.sizes) - N_SIZES} more" if len(overview.sizes) > N_SIZES else ""
    pixels = [("pixels", ", ".join(sizes) + more), ("channels", number(spec.n_channels))]
    if modality is Modality.IMAGE:
        return [*pixels, ("stored", spec.format.name.lower())]
    if modality is Modality.VIDEO:
        return [("frames", lengths), *pixels, ("stored", spec.format.name.lower())]
    if modality is Modality.SPEECH:
        return [("samples", lengths)]
    if modality is Modality.SERIES:
        return [("steps", lengths), ("channels", number(spec.n_rows * spec.n_cols * spec.n_channels))]
    if modality is Modality.TEXT:
        return [("tokens of a text", lengths), ("vocabulary", number(len(info.vocabulary)))]
    columns = number(spec.n_rows * spec.n_cols * spec.n_channels)
    return [("columns", columns), *([("entries of a row", lengths)] if not overview.columns else [])]

"""Examples of each class as HTML: pictures, waveforms, series, texts, rows; whatever the dataset says is escaped."""

from __future__ import annotations

from html import escape

import numpy as np
from scipy import sparse

from autodl_solver.browse.drawing import picture_uri, scaled_to_bytes, series_svg, waveform_svg
from autodl_solver.browse.overview import Overview
from autodl_solver.browse.wording import number, printable
from autodl_solver.data.examples import Array, EncodedFrames, take_rows
from autodl_solver.data.images import decode_frames
from autodl_solver.modalities import Modality

N_FRAMES = 6
"""Of a clip, side by side."""

N_TOKENS = 60
N_COLUMNS = 12
"""Of a row of a table: columns, or entries of a sparse one."""


def example_cards(overview: Overview) -> str:
    """A section for each class with its examples."""
    picked = overview.picked
    if not picked.of_class:
        return f'<div class="examples">{"".join(_card(overview, k) for k in range(len(picked.rows)))}</div>'
    sections = []
    for k, places in picked.of_class.items():
        cards = "".join(_card(overview, place) for place in places)
        sections.append(f'<h3>{safe(overview.class_name(k))}</h3><div class="examples">{cards}</div>')
    n_more = overview.info.n_classes - len(picked.of_class)
    if n_more:
        sections.append(f"<p>{n_more} more classes are not shown.</p>")
    return "\n".join(sections)


def safe(text: str) -> str:
    """Text from a dataset, fit for a page."""
    return escape(printable(text))


def _card(overview: Overview, place: int) -> str:
    labels = [overview.class_name(int(k)) for k in np.flatnonzero(overview.picked.y[place])]
    caption = f"row {overview.picked.rows[place]}"
    if len(labels) != 1:
        caption += ": " + (", ".join(labels) or "no label")
    return f"<figure>{_figure(overview, place)}<figcaption>{safe(caption)}</figcaption></figure>"


def _figure(overview: Overview, place: int) -> str:
    modality = overview.modality
    if modality in (Modality.IMAGE, Modality.VIDEO):
        frames = _frames(overview, place)
        images = "".join(f'<img src="{picture_uri(frame)}" alt="">' for frame in frames)
        return f'<div class="strip">{images}</div>'
    if modality is Modality.TABULAR:
        return _table(_entries(overview, place))
    steps = _steps(overview, place)
    low, high = overview.values
    if modality is Modality.TEXT:
        return f"<p>{_tokens(overview, steps)}</p>"
    if modality is Modality.SPEECH:
        return waveform_svg(steps.ravel(), max(abs(low), abs(high)))
    return series_svg(steps, low, high)


def _frames(overview: Overview, place: int) -> list[Array]:
    """[row, col, channel] uint8 of some frames."""
    x = take_rows(overview.picked.x, np.array([place]))
    if isinstance(x, EncodedFrames):
        chosen = _spread(len(x.starts))
        frames = EncodedFrames(
            x.buffers, x.file_index[chosen], x.starts[chosen], x.sizes[chosen], np.arange(len(chosen) + 1)
        )
        return list(decode_frames(frames, overview.info.specs[0].n_channels).pixels)
    assert not isinstance(x, sparse.csr_array)
    row = x[0]
    return [scaled_to_bytes(row[k], *overview.values) for k in _spread(len(row))]


def _spread(n: int) -> Array:
    return np.unique(np.linspace(0, n - 1, min(n, N_FRAMES)).round().astype(int)) if n else np.zeros(0, int)


def _steps(overview: Overview, place: int) -> Array:
    """[time, channel] of a row."""
    x = overview.picked.x
    assert not isinstance(x, (EncodedFrames, sparse.csr_array))
    row = np.asarray(x[place])
    if len(row) == 1 and overview.modality is Modality.SERIES:  # it lies along the columns or rows of one time step
        return row.reshape(-1, row.shape[-1])
    return row.reshape(len(row), -1)


def _tokens(overview: Overview, steps: Array) -> str:
    vocabulary = overview.info.vocabulary
    ids = steps.ravel()[:N_TOKENS].astype(np.int64).tolist()
    tokens = [(vocabulary[k] or "·") if 0 <= k < len(vocabulary) else str(k) for k in ids]
    more = f" <i>and {number(len(steps) - N_TOKENS)} more</i>" if len(steps) > N_TOKENS else ""
    return " ".join(f"<span>{safe(token)}</span>" for token in tokens) + more


def _entries(overview: Overview, place: int) -> list[tuple[str, str]]:
    """Name and value of columns; of a sparse row, those that are there."""
    x, names = overview.picked.x, overview.info.feature_names
    assert isinstance(x, (np.ndarray, sparse.csr_array))
    if isinstance(x, sparse.csr_array):
        inside = slice(x.indptr[place], x.indptr[place + 1])
        pairs = list(zip(x.indices[inside].tolist(), x.data[inside].tolist(), strict=True))
    else:
        pairs = list(enumerate(x[place].ravel().tolist()))
    entries = [(names[k] if k < len(names) else str(k), number(value)) for k, value in pairs[:N_COLUMNS]]
    return [*entries, ("…", f"{len(pairs) - N_COLUMNS} more")] if len(pairs) > N_COLUMNS else entries


def _table(entries: list[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><th>{safe(name)}</th><td>{safe(value)}</td></tr>" for name, value in entries)
    return f"<table><tbody>{rows}</tbody></table>" if rows else "<p>no entries</p>"

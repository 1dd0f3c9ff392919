"""Columns of a user's table -> columns of numbers. What a column is, its training rows decide; new rows follow.

    number      numbers and booleans; also text of which nearly all cells are numbers
    category    codes 0 to k - 1, the most frequent first (in their own order, if they have one)
    date        days since 1970, and those of year, month, day, day of week and hour that vary
    duration    seconds
    text        length, words, and how often words occur, hashed into few columns: cheap, and enough for a hint. A table
                whose texts matter most is better given as texts
    dropped     names and ids: no two rows share one, so that nothing can be learned from them

A cell that is missing, was never seen, or cannot be read is NaN.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.errors import InputError
from autodl_solver.inputs.words import n_words, words_of

logger = logging.getLogger(__name__)

NUMBER, CATEGORY, DATE, DURATION, TEXT, DROPPED = "number", "category", "date", "duration", "text", "dropped"

MOST = 0.95
"""This share of the cells must be of a kind, so that the column is."""

UNTOLD = frozenset({"", "?", "-", "na", "n/a", "<na>", "nan", "nat", "none", "null"})
"""What people write for a missing value, in lower case; they do not count there."""

SAMPLE_ROWS = 10_000
"""Cells that are looked at to tell what a column is."""

FEW_LEVELS, MAX_LEVELS = 100, 1000
"""Of a category. Where there are more than few, only those count that two rows share; never more than the last."""

FEW_ROWS = 20
"""Fewer than that tell nothing by all being different."""

TEXT_WORDS = 3.0
"""Mean words of a cell from which strings are texts, if most of them differ."""

TEXT_COLUMNS = 64
"""That the words of a text are hashed into."""

SINGLE_PRECISION = 2.0**10
"""A column further from 0 than so many times its range is moved to it: float32 would blur its differences."""

DATE_PARTS = ("year", "month", "day", "day_of_week", "hour")
ISO_DATE = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?"


@dataclass(frozen=True)
class Column:
    """What became of a column.

    Attributes:
        name: of the column.
        kind: one of those above.
        levels: of a category, its values as text, in the order of their codes.
        parts: of a date, those that vary.
        offset: what is subtracted from numbers and days.
    """

    name: str
    kind: str
    levels: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    offset: float = 0.0

    @classmethod
    def fitted(cls, name: str, cells: Any) -> Column:
        """Looks at a pandas Series.

        Raises:
            InputError: it holds complex numbers.
        """
        kind = _kind(name, cells)
        if kind == NUMBER:
            return cls(name, kind, offset=float(offset_of(_numbers(cells))))
        if kind == CATEGORY:
            levels = _levels(cells)
            if not levels:
                logger.info("Column %r is left out: no two rows share a value, so it looks like an id.", name)
            return cls(name, CATEGORY if levels else DROPPED, levels)
        if kind == DATE:
            dates = _dates(cells)
            parts = tuple(part for part in DATE_PARTS if _varies(_date_part(dates, part)))
            return cls(name, kind, parts=parts, offset=float(offset_of(_days(dates))))
        if kind == TEXT:
            logger.info("Column %r is free text: its words are hashed into %d columns.", name, TEXT_COLUMNS)
        return cls(name, kind)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Of the columns that it becomes."""
        if self.kind == DATE:
            return (self.name, *(f"{self.name} ({part})" for part in self.parts))
        if self.kind == TEXT:
            hashed = (f"{self.name} (words {k})" for k in range(TEXT_COLUMNS))
            return (f"{self.name} (letters)", f"{self.name} (words)", *hashed)
        return () if self.kind == DROPPED else (self.name,)

    def encode_into(self, out: Array, cells: Any) -> None:
        """Writes the columns of new cells.

        Args:
            out: [n_rows, len(feature_names)] float32.
            cells: a pandas Series of n_rows.
        """
        if self.kind == NUMBER:
            values = _numbers(cells)
            out[:, 0] = values - self.offset if self.offset else values
        elif self.kind == CATEGORY:
            out[:, 0] = _codes(cells, self.levels)
        elif self.kind == DATE:
            dates = _dates(cells)
            out[:, 0] = _days(dates) - self.offset
            for k, part in enumerate(self.parts):
                out[:, k + 1] = _date_part(dates, part)
        elif self.kind == DURATION:
            out[:, 0] = _seconds(cells)
        elif self.kind == TEXT:
            out[...] = _text_columns(cells)


def offset_of(values: Array) -> Array:
    """What to subtract, so that float32 tells the values of a column apart: 0 for nearly all columns.

    Args:
        values: [n_rows] or [n_rows, n_columns]
    Returns:
        float64, of no dimension or [n_columns].
    """
    exact = values.dtype.itemsize <= (4 if values.dtype.kind == "f" else 2)
    if exact or len(values) == 0:
        return np.zeros(values.shape[1:])
    with np.errstate(all="ignore"):  # of infinite and missing values
        low, high = (np.asarray(f.reduce(values, axis=0), np.float64) for f in (np.fmin, np.fmax))
        is_far = np.maximum(-low, high) > SINGLE_PRECISION * (high - low)
        return np.where(is_far & (high > low) & np.isfinite(high - low), low, 0.0)


def _kind(name: str, cells: Any) -> str:
    import pandas as pd

    types, dtype = pd.api.types, cells.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return CATEGORY
    if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return DATE
    if types.is_timedelta64_dtype(dtype):
        return DURATION
    sample = cells.dropna()
    sample = sample.iloc[:: max(len(sample) // SAMPLE_ROWS, 1)]
    inferred = types.infer_dtype(sample)
    if inferred == "complex" or types.is_complex_dtype(dtype):
        raise InputError(f"Complex data not supported: column {name!r} holds some; give real and imaginary parts.")
    if len(sample) == 0 or types.is_numeric_dtype(dtype) or types.is_bool_dtype(dtype):
        return NUMBER
    if inferred in ("datetime64", "datetime", "date", "period"):
        return DATE
    if inferred in ("timedelta64", "timedelta", "time"):
        return DURATION
    return _kind_of_strings(sample)


def _kind_of_strings(sample: Any) -> str:
    """Of cells that are strings, or objects of several types."""
    strings = sample.astype(object).map(str)
    told = ~strings.str.strip().str.lower().isin(UNTOLD)
    if not told.any():
        return CATEGORY
    sample, strings = sample[told], strings[told]
    if (~np.isnan(_numbers(sample))).mean() >= MOST:
        return NUMBER
    if strings.str.fullmatch(ISO_DATE).mean() >= MOST:
        return DATE
    if strings.nunique() > len(strings) / 2 and np.mean([n_words(text) for text in strings.tolist()]) >= TEXT_WORDS:
        return TEXT
    return CATEGORY


def _numbers(cells: Any) -> Array:
    """[n_rows] floats, NaN for what is none; numpy columns are not copied."""
    import pandas as pd

    types = pd.api.types
    if isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "biuf":
        return np.asarray(cells.to_numpy())
    if isinstance(cells.dtype, pd.CategoricalDtype) or types.infer_dtype(cells) == "decimal":
        cells = cells.astype(object)
    if not types.is_numeric_dtype(cells.dtype) and not types.is_bool_dtype(cells.dtype):
        cells = pd.to_numeric(cells.astype(object).where(cells.notna()), errors="coerce")
    if types.is_complex_dtype(cells.dtype):
        return np.full(len(cells), np.nan)
    return np.asarray(cells.to_numpy(np.float64, na_value=np.nan))


def _levels(cells: Any) -> tuple[str, ...]:
    """Of the categories that count, in the order of their codes."""
    import pandas as pd

    is_ordered = isinstance(cells.dtype, pd.CategoricalDtype) and cells.dtype.ordered
    if is_ordered and len(cells.cat.categories) <= MAX_LEVELS:
        return tuple(dict.fromkeys(_key(value) for value in cells.cat.categories))
    codes, keys = _factorized(cells)
    counts = np.bincount(codes[codes >= 0], minlength=len(keys))
    order = sorted(range(len(keys)), key=lambda k: (-counts[k], keys[k]))
    least = 1 if len(keys) <= FEW_LEVELS and (len(codes) < FEW_ROWS or counts.max(initial=0) > 1) else 2
    return tuple(keys[k] for k in order[:MAX_LEVELS] if counts[k] >= least)


def _codes(cells: Any, levels: tuple[str, ...]) -> Array:
    """[n_rows] float32, NaN for what is no level."""
    place = {level: k for k, level in enumerate(levels)}
    codes, keys = _factorized(cells)
    of_key = np.array([place.get(key, np.nan) for key in keys] + [np.nan], np.float32)
    return of_key[codes]  # -1, missing, is the last


def _factorized(cells: Any) -> tuple[Array, list[str]]:
    """[n_rows] the key of each cell, -1 where it is missing; and the keys, each once."""
    import pandas as pd

    if isinstance(cells.dtype, pd.CategoricalDtype):
        codes, values = cells.cat.codes.to_numpy(), cells.cat.categories
    else:
        inferred = pd.api.types.infer_dtype(cells)
        if inferred == "unknown-array" or (cells.dtype == object and inferred != "string"):
            cells = _as_text(cells)  # lists have no hash, and True has that of 1
        codes, values = pd.factorize(cells)
    of_value, keys = pd.factorize(np.array([*(_key(value) for value in values), ""], object)[:-1])
    return np.append(of_value, -1)[codes], list(keys)


def _as_text(cells: Any) -> Any:
    """A Series of strings, None where a cell is missing."""
    missing = cells.isna().to_numpy(bool)
    cells = cells.astype(object)
    cells[~missing] = cells[~missing].map(_key)
    return cells.where(~missing, None)


def _key(value: Any) -> str:
    """A category as text: 1, 1.0 and "1" are the same, since a column with gaps turns whole numbers into floats."""
    return str(int(value)) if isinstance(value, (float, np.floating)) and float(value).is_integer() else str(value)


def _dates(cells: Any) -> Any:
    """A Series of datetimes without a time zone, in UTC where they had one."""
    import pandas as pd

    types = pd.api.types
    if isinstance(cells.dtype, pd.PeriodDtype):
        return cells.dt.to_timestamp()
    if types.is_numeric_dtype(cells.dtype) or types.is_bool_dtype(cells.dtype):
        return pd.Series(pd.NaT, cells.index, dtype="datetime64[s]")
    if types.is_datetime64_any_dtype(cells.dtype):
        if not isinstance(cells.dtype, (np.dtype, pd.DatetimeTZDtype)):  # of pyarrow
            cells = pd.to_datetime(cells)
        return cells if cells.dt.tz is None else cells.dt.tz_convert("UTC").dt.tz_localize(None)
    cells = cells.astype(object)
    inferred = types.infer_dtype(cells)
    if inferred == "period":
        cells = cells.map(lambda cell: cell.to_timestamp(), na_action="ignore")
    elif inferred not in ("string", "date", "datetime", "datetime64"):  # numbers are no dates
        cells = cells.where(cells.map(lambda cell: isinstance(cell, (str, dt.date))), None)
    return pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601").dt.tz_localize(None)


def _days(dates: Any) -> Array:
    """[n_rows] float64 days since 1970."""
    days = dates.to_numpy("datetime64[us]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64) / 86_400e6)


def _date_part(dates: Any, part: str) -> Array:
    """[n_rows] float64; the hour with its fraction."""
    time = dates.dt
    values = time.hour + time.minute / 60 + time.second / 3600 if part == "hour" else getattr(time, part)
    return np.asarray(values.to_numpy(np.float64, na_value=np.nan))


def _varies(values: Array) -> bool:
    values = values[~np.isnan(values)]
    return len(values) > 0 and bool(values.max() > values.min())


def _seconds(cells: Any) -> Array:
    """[n_rows] float64; of times of the day, since midnight."""
    import pandas as pd

    if not pd.api.types.is_timedelta64_dtype(cells.dtype):
        cells = pd.to_timedelta(_as_text(cells), errors="coerce")
    return np.asarray(cells.dt.total_seconds().to_numpy(np.float64, na_value=np.nan))


def _text_columns(cells: Any) -> Array:
    """[n_rows, 2 + TEXT_COLUMNS] float32: letters, words, and hashed words; NaN where the text is missing."""
    from sklearn.feature_extraction.text import HashingVectorizer

    missing = cells.isna().to_numpy(bool)
    texts = ["" if text is None else text for text in _as_text(cells).tolist()]
    hashing = HashingVectorizer(
        analyzer=words_of, n_features=TEXT_COLUMNS, norm=None, alternate_sign=False, dtype=np.float32
    )
    counts = hashing.transform(texts).toarray() if texts else np.zeros((0, TEXT_COLUMNS), np.float32)
    out = np.column_stack([np.array([len(text) for text in texts], np.float32), counts.sum(axis=1), counts])
    out[missing] = np.nan
    return out

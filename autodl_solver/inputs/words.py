"""Words of a text, for every script: what stands between spaces and punctuation, or a single character.

Chinese, Japanese, Thai, Lao, Khmer, Burmese and Tibetan put no spaces between words; a character there tells about as
much as a word elsewhere. Korean has spaces.
Cost: 1.4 s for 50,000 texts of 100 words, one core.
"""

from __future__ import annotations

import re

_SPACELESS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Japanese syllables
)
_WORD = re.compile(rf"[{_SPACELESS}]|[^\W{_SPACELESS}]+(?:['’][^\W{_SPACELESS}]+)*")
_TOKEN = re.compile(rf"{_WORD.pattern}|[^\w\s]")
_PIECE = re.compile(rf"[{_SPACELESS}]|[^{_SPACELESS}]+")


def tokens_of(text: str) -> list[str]:
    """Words in lower case, and marks of punctuation."""
    return _TOKEN.findall(text.lower())


def words_of(text: str) -> list[str]:
    """Words in lower case."""
    return _WORD.findall(text.lower())


def n_words(text: str) -> int:
    """Words between spaces; of scripts without them, characters."""
    return sum(1 for word in text.split() for _ in _PIECE.finditer(word))

"""Words of a text, for every script: what stands between spaces and punctuation, or a single character.

Chinese, Japanese, Thai, Lao, Khmer, Burmese and Tibetan put no spaces between words; a character there tells about as
much as a word elsewhere. Korean has spaces. Marks that stand on or beside a letter (vowels of Hindi, points of Hebrew)
belong to its word.
"""

from __future__ import annotations

import re

_SPACELESS = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Japanese syllables
    "]"
    "|[\U00020000-\U0003ffff]"  # rare Han
)
_MARKS = (
    "\u0300-\u036f"  # accents
    "\u0591-\u05c7"  # Hebrew
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"  # Arabic
    "\u0900-\u0963\u0966-\u0dff"  # scripts of India, but for their full stop
)
_TOKEN = re.compile(r"\w+(?:'\w+)*|[^\w\s]", re.ASCII)
_ANY_TOKEN = re.compile(rf"[\w{_MARKS}]+(?:'[\w{_MARKS}]+)*|[^\w\s]")


def tokens_of(text: str) -> list[str]:
    """Words in lower case, and marks of punctuation."""
    text = text.lower()
    if text.isascii():
        return _TOKEN.findall(text)
    return _ANY_TOKEN.findall(_spaced(text).replace("\u2019", "'"))


def words_of(text: str) -> list[str]:
    """Words in lower case."""
    return [token for token in tokens_of(text) if len(token) > 1 or token.isalnum()]


def n_words(text: str) -> int:
    """Words between spaces; of scripts without them, characters."""
    return len(_spaced(text).split())


def _spaced(text: str) -> str:
    """With spaces around the characters of scripts without them."""
    return text if text.isascii() else _SPACELESS.sub(r" \g<0> ", text)

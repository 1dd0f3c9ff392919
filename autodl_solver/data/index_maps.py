"""Maps from names to indices, as the metadata holds them, and tuples of names in index order, as learners want them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from autodl_solver.errors import MetadataError

MAX_INDEX = 50_000_000  # beyond it, an index is a defect and not a large vocabulary


def no_name(_index: int) -> str:
    """The name of an unused token index."""
    return ""


def names_in_order(
    index_of: Mapping[str, int], fill: Callable[[int], str], field: str, source: str, n_least: int = 0
) -> tuple[str, ...]:
    """Names by index.

    Args:
        index_of: name to index; of several names at one index, the last stands.
        fill: name of an index that has none, `str` or `no_name`.
        field: what the map is called, for error texts.
        source: file or object it came from, for error texts.
        n_least: names to return at least, unless the map is empty.
    Raises:
        MetadataError: an index is negative, or so large that most of the tuple would be holes.
    """
    if not index_of:
        return ()
    smallest, largest = min(index_of.values()), max(index_of.values())
    if smallest < 0 or largest > min(MAX_INDEX, 100 * len(index_of) + 1000):
        raise MetadataError(
            f"{field} must number its {len(index_of)} names from 0 without vast gaps; however {source} has the index "
            f"{smallest if smallest < 0 else largest}; export the dataset again."
        )
    names: list[str | None] = [None] * max(largest + 1, n_least)
    for name, index in index_of.items():
        names[index] = name
    return tuple([fill(i) if name is None else name for i, name in enumerate(names)])


def index_map(names: tuple[str, ...], fill: Callable[[int], str], field: str, n_least: int = 0) -> dict[str, int]:
    """The map, sorted by index, that `names_in_order` turns back into the names.

    Raises:
        MetadataError: a name stands at two indices, and `fill` does not give it back at one of them.
    """
    index_of = {name: i for i, name in enumerate(names) if name != fill(i)}
    for i in reversed(range(len(names))):  # the last hole must be written, because it gives the length
        if names[i] == fill(i):
            index_of.setdefault(names[i], i)
    if names_in_order(index_of, fill, field, "the tuple to write", n_least) != names:
        raise MetadataError(
            f"{field} must hold each name once; however of {len(names)} names some stand at two indices; rename them."
        )
    return dict(sorted(index_of.items(), key=lambda entry: entry[1]))

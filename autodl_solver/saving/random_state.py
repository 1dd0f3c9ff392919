"""Random generators of numpy: the algorithm by name, and its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autodl_solver.saving.codec import Decoder, Encoder, Kind

ALGORITHMS = {one.__name__: one for one in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937)}


def _encoded(value: Any, encoder: Encoder) -> dict[str, Any]:
    state = value.get_state(legacy=False) if isinstance(value, np.random.RandomState) else value.bit_generator.state
    return {"state": encoder.node(state, ".state")}


def _bits(node: Mapping[str, Any], decoder: Decoder) -> Any:
    state = decoder.value(node["state"])
    bits = ALGORITHMS[state["bit_generator"]](0)
    if isinstance(bits, np.random.MT19937) and not 0 <= state["state"]["pos"] <= 624:
        raise ValueError("a Mersenne twister must stand at one of its 624 numbers")  # numpy would read beyond them
    return bits, state


def _generator(node: Mapping[str, Any], decoder: Decoder) -> np.random.Generator:
    bits, state = _bits(node, decoder)
    bits.state = state
    return np.random.Generator(bits)


def _random_state(node: Mapping[str, Any], decoder: Decoder) -> np.random.RandomState:
    bits, state = _bits(node, decoder)
    found = np.random.RandomState(bits)
    found.set_state(state)
    return found


KINDS = {
    "generator": Kind(
        lambda v: type(v) is np.random.Generator and type(v.bit_generator) in ALGORITHMS.values(), _encoded, _generator
    ),
    "random state": Kind(lambda v: type(v) is np.random.RandomState, _encoded, _random_state),
}

"""What a data centre can read and say: its own layer, and those it was given."""

import struct
from collections.abc import Iterable
from typing import Any

from sandbox import tl
from sandbox.layers.layer import Layer


class Speech:
    """Reads what clients of any known layer send, and answers each in its own."""

    def __init__(self, layers: Iterable[Layer] = ()) -> None:
        self._layers = {layer.number: layer for layer in layers}
        self._foreign = {at: read for layer in self._layers.values() for at, read in layer.foreign.items()}

    def read(self, body: bytes) -> Any:
        """Read one TL object that fills the bytes exactly. Raises tl.Malformed."""
        if not self._foreign:
            return tl.read(body)
        parsed = tl.read(body, self._foreign)
        try:
            # once more, as the same object in our layer is read: with its dates, say
            return tl.read(tl.write(parsed))
        except (AttributeError, struct.error, TypeError, ValueError, OverflowError) as error:
            raise tl.Malformed(type(error).__name__) from error

    def write(self, value: Any, layer: int) -> bytes:
        """Serialize an answer for a client of this layer; of an unknown one, as in our own."""
        known = self._layers.get(layer)
        return tl.write(value) if known is None else known.write(value)

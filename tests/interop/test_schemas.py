"""The layers of other clients beside Telethon's classes: what both define alike, both write alike."""

from typing import Any

import pytest
from telethon.tl.alltlobjects import tlobjects

from sandbox import tl
from sandbox.layers import Layer, Speech
from sandbox.layers.layer import Unsayable

pytestmark = [pytest.mark.interop, pytest.mark.timeout(360)]


def _filled(known: Any) -> Any:
    """An object of this class with nothing in it; None where it needs others."""
    try:
        made = tl.filled(known)
        bytes(made)
    except (AttributeError, TypeError):
        return None
    return made


def test_layers_when_read_are_those_that_the_clients_say(layers: list[Layer]) -> None:
    """A new version of a package comes with a new layer: then this changes with package.json."""
    assert [227, 198] == [layer.number for layer in layers]


def test_objects_when_both_define_them_alike_are_the_same_bytes(layers: list[Layer]) -> None:
    """Each class of Telethon that can be made of nothing, in each layer: same id, same bytes."""
    made = {known: _filled(known) for known in tlobjects.values()}
    for layer in layers:
        compared = 0
        for known, example in made.items():
            if example is None:
                continue
            try:
                written = layer.write(example)
            except Unsayable:
                continue
            if written[:4] == bytes(example)[:4]:
                assert bytes(example) == written, tl.name_of(known)
                compared += 1
        assert compared > 900


def test_objects_when_written_in_another_layer_are_read_back(layers: list[Layer]) -> None:
    """What a layer defines otherwise comes back as Telethon's object of that name."""
    for layer in layers:
        speech, came_back = Speech([layer]), 0
        for known in tlobjects.values():
            example = _filled(known)
            try:
                written = b"" if example is None else layer.write(example)
            except Unsayable:
                continue
            if int.from_bytes(written[:4], "little") in layer.foreign:
                assert bytes(example) == tl.write(speech.read(written)), tl.name_of(known)
                came_back += 1
        assert came_back

"""Files that lie at the data centre already, and messages that hold them."""

import hashlib
from typing import Any

from telethon.tl import types

from sandbox import Account, Channel, Fault
from sandbox.site import Keystream
from sandbox.world.box import Sent
from sandbox.world.files import Document, Picture
from sandbox.world.letters import Draft, Forward, Media
from sandbox.world.uploads import MAX_PART_BYTES, Blob
from tests.engine.conftest import Scene

MIB = 1024 * 1024
#: The calls by which bytes of files come and go.
MOVING = ("upload.getFile", "upload.saveFilePart", "upload.saveBigFilePart")


def blob(scene: Scene, content: bytes) -> Blob:
    """Content in the spool."""
    path = scene.world.spool / hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    return Blob(path, len(content), MAX_PART_BYTES)


def document(
    scene: Scene,
    content: bytes,
    name: str = "report.pdf",
    mime_type: str = "application/pdf",
    *attributes: Any,
    thumb: Picture | None = None,
    dc_id: int | None = None,
) -> Document:
    """A file that was sent before."""
    made = Document(
        scene.world.files.new_id(),
        blob(scene, content),
        mime_type,
        (*attributes, types.DocumentAttributeFilename(name)),
        scene.world.clock.date(),
        dc_id or scene.dc.id,
        thumb,
    )
    scene.world.add_file(made)
    return made


def film(size_bytes: int, seed: str = "film") -> bytes:
    """Bytes that do not repeat."""
    return Keystream(seed, 0).read(0, size_bytes)


def post(
    scene: Scene,
    sender: Account,
    to: Account | Channel,
    file: Document | None,
    text: str = "",
    *entities: Any,
    forward: Forward | None = None,
) -> Sent:
    """Somebody sends a file, or forwards it."""
    media = None if file is None else Media(file)
    return scene.world.post_office.send(sender, to, Draft(text, entities, media, forward=forward))


def moved(scene: Scene) -> dict[str, int]:
    """How often bytes of files came or went, by call."""
    return {name: count for name in MOVING if (count := scene.world.stats.calls[name])}


def digest(content: bytes) -> str:
    """The SHA-256 of content, as `Person.save` tells it."""
    return hashlib.sha256(content).hexdigest()


def fault(method: str, **what: Any) -> Fault:
    """A fault of the data centre."""
    return Fault(method=method, **what)

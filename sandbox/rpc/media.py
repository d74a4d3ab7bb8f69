"""From InputMedia to a document: uploaded now, or sent before."""

from typing import Any

from telethon.tl import types

from sandbox.rpc.limits import is_a
from sandbox.rpc.registry import Call, RpcError
from sandbox.world.files import Document
from sandbox.world.letters import Media
from sandbox.world.uploads import Blob, PartRefused


def media(call: Call, given: Any) -> Media:
    """The media of a request. Raises RpcError, FILE_PART_n_MISSING among them."""
    match given:
        case types.InputMediaUploadedDocument():
            document = _uploaded(call, given)
        case types.InputMediaDocument():
            document = _sent_before(call, given.id)
        case _:
            raise RpcError(400, "MEDIA_INVALID")
    return Media(document, bool(given.spoiler), given.ttl_seconds)


def _uploaded(call: Call, given: Any) -> Document:
    if given.thumb is not None:
        _content(call, given.thumb)
    if not given.mime_type:
        raise RpcError(400, "MEDIA_INVALID")
    attributes = tuple(given.attributes)
    if not all(is_a(types.DocumentAttributeFilename, attribute) for attribute in attributes):
        raise RpcError(400, "MEDIA_INVALID")
    blob = _content(call, given.file)
    if not any(isinstance(attribute, types.DocumentAttributeFilename) for attribute in attributes):
        attributes += (types.DocumentAttributeFilename(given.file.name),)
    return call.world.documents.add(blob, given.mime_type, attributes, call.dc.id)


def _content(call: Call, file: Any) -> Blob:
    key_id, uploads = call.login.key.id, call.world.uploads
    try:
        match file:
            case types.InputFile():
                return uploads.finish(key_id, file.id, file.parts, big=False, md5_checksum=file.md5_checksum)
            case types.InputFileBig():
                blob = uploads.finish(key_id, file.id, file.parts, big=True)
                call.world.stats.finished(file.id, blob.digest)
                return blob
    except PartRefused as error:
        raise RpcError(400, str(error)) from error
    raise RpcError(400, "MEDIA_INVALID")


def _sent_before(call: Call, given: Any) -> Document:
    if not isinstance(given, types.InputDocument):
        raise RpcError(400, "MEDIA_EMPTY")
    document = call.world.documents.get(given.id)
    if document is None or given.access_hash != call.world.accounts.access_hash(
        call.account, "document", given.id
    ):
        raise RpcError(400, "MEDIA_EMPTY")
    if given.file_reference != call.world.documents.reference(document):
        raise RpcError(400, "FILE_REFERENCE_EXPIRED")
    return document

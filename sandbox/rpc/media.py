"""From InputMedia to a file: uploaded now, or sent before."""

from typing import Any, Final

from telethon.tl import types

from sandbox.rpc.limits import cut_name, is_a
from sandbox.rpc.registry import Call, RpcError
from sandbox.world import images
from sandbox.world.files import Document, Photo, Picture, ReferenceRefused
from sandbox.world.letters import Media
from sandbox.world.uploads import Blob, PartRefused

#: What Telegram makes of a larger thumb is not documented: here it is left out, as is what is no picture.
#: https://core.telegram.org/api/files#uploading-files
MAX_THUMB_SIDE: Final = 320
MAX_THUMB_BYTES: Final = 200 * 1024
#: https://core.telegram.org/bots/api#sendphoto
MAX_PHOTO_BYTES: Final = 10 * 1024 * 1024
MAX_PHOTO_SIDES: Final = 10_000
MAX_PHOTO_RATIO: Final = 20


def media(call: Call, given: Any, item: int | None = None) -> Media:
    """The media of a request; `item` is its place in an album. Raises RpcError, e.g. FILE_PART_n_MISSING."""
    match given:
        case types.InputMediaUploadedDocument():
            file: Document | Photo = _uploaded_document(call, given)
        case types.InputMediaUploadedPhoto():
            file = _uploaded_photo(call, given)
        case types.InputMediaDocument(id=types.InputDocument() as known):
            file = document(call, known, "MEDIA_EMPTY", item)
        case types.InputMediaPhoto(id=types.InputPhoto() as known):
            file = photo(call, known, "MEDIA_EMPTY", item)
        case types.InputMediaDocument() | types.InputMediaPhoto():
            raise RpcError(400, "MEDIA_EMPTY")
        case _:
            raise RpcError(400, "MEDIA_INVALID")
    return Media(file, bool(given.spoiler), given.ttl_seconds)


def _uploaded_document(call: Call, given: Any) -> Document:
    attributes = tuple(given.attributes)
    if not given.mime_type or not all(is_a(types.DocumentAttributeFilename, one) for one in attributes):
        raise RpcError(400, "MEDIA_INVALID")
    blob = _content(call, given.file)
    if not any(isinstance(one, types.DocumentAttributeFilename) for one in attributes):
        attributes += (types.DocumentAttributeFilename(given.file.name),)
    thumb = _thumb(_content(call, given.thumb)) if given.thumb is not None else None
    named = tuple(map(_with_short_name, attributes))
    file_id, date = call.world.files.new_id(), call.world.clock.date()
    made = Document(file_id, blob, given.mime_type, named, date, call.dc.id, thumb)
    call.world.add_file(made)
    return made


def _with_short_name(attribute: Any) -> Any:
    if not isinstance(attribute, types.DocumentAttributeFilename):
        return attribute
    return types.DocumentAttributeFilename(cut_name(attribute.file_name))


def _thumb(blob: Blob) -> Picture | None:
    size = images.size(blob.read(0, MAX_THUMB_BYTES))
    if size is None or max(size) > MAX_THUMB_SIDE or blob.size_bytes > MAX_THUMB_BYTES:
        return None
    return Picture(blob, *size)


def _uploaded_photo(call: Call, given: Any) -> Photo:
    blob = _content(call, given.file)
    if blob.size_bytes > MAX_PHOTO_BYTES:
        raise RpcError(400, "PHOTO_SAVE_FILE_INVALID")
    size = images.size(blob.read(0, MAX_PHOTO_BYTES))
    if size is None:
        raise RpcError(400, "IMAGE_PROCESS_FAILED")
    if sum(size) > MAX_PHOTO_SIDES or not min(size) or max(size) > MAX_PHOTO_RATIO * min(size):
        raise RpcError(400, "PHOTO_INVALID_DIMENSIONS")
    file_id, date = call.world.files.new_id(), call.world.clock.date()
    made = Photo(file_id, Picture(blob, *size), date, call.dc.id)
    call.world.add_file(made)
    return made


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


def document(call: Call, named: Any, error: str, item: int | None = None) -> Document:
    """The document of an id, access hash and reference. Raises RpcError 400 `error`, or FILE_REFERENCE_…"""
    found = call.world.files.document(getattr(named, "id", 0))
    if found is None or not _is_named(call, found, named):
        raise RpcError(400, error)
    _check_reference(call, found, named, item)
    return found


def photo(call: Call, named: Any, error: str, item: int | None = None) -> Photo:
    """The photo of an id, access hash and reference. Raises RpcError 400 `error`, or FILE_REFERENCE_…"""
    found = call.world.files.photo(getattr(named, "id", 0))
    if found is None or not _is_named(call, found, named):
        raise RpcError(400, error)
    _check_reference(call, found, named, item)
    return found


def _is_named(call: Call, found: Document | Photo, named: Any) -> bool:
    return bool(named.access_hash == call.world.accounts.access_hash(call.account, found.kind, found.id))


def _check_reference(call: Call, found: Document | Photo, named: Any, item: int | None) -> None:
    try:
        call.world.files.check_reference(found, named.file_reference)
    except ReferenceRefused as refused:
        # of an album, the error says which item it was: https://core.telegram.org/api/file-references
        which = "" if item is None else f"{item}_"
        raise RpcError(400, f"FILE_REFERENCE_{which}{refused}") from refused

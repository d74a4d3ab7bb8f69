"""upload.*: file parts in, pieces of files out."""

import errno
import struct
from dataclasses import dataclass
from typing import Any, Final

from telethon.tl import functions, types

from sandbox import tl
from sandbox.rpc.media import document, photo
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.files import Document, Photo
from sandbox.world.uploads import UNKNOWN_TOTAL, Blob, PartRefused

_SMALL: Final = struct.Struct("<Iqi")
_BIG: Final = struct.Struct("<Iqii")
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a request that was not copied out of its packet."""

    file_id: int
    file_part: int
    file_total_parts: int
    bytes: memoryview


def _read_small(body: memoryview) -> Part:
    if len(body) < _SMALL.size:
        raise tl.Malformed("too short")
    _, file_id, part = _SMALL.unpack_from(body)
    return Part(file_id, part, UNKNOWN_TOTAL, tl.read_bytes(body, _SMALL.size))


def _read_big(body: memoryview) -> Part:
    if len(body) < _BIG.size:
        raise tl.Malformed("too short")
    _, file_id, part, total = _BIG.unpack_from(body)
    return Part(file_id, part, total, tl.read_bytes(body, _BIG.size))


@rpc(functions.upload.SaveFilePartRequest, passive=True, parse=_read_small)
def save_file_part(call: Call, request: Any) -> Any:
    return _save(call, request, UNKNOWN_TOTAL, big=False)


@rpc(functions.upload.SaveBigFilePartRequest, passive=True, parse=_read_big)
def save_big_file_part(call: Call, request: Any) -> Any:
    return _save(call, request, request.file_total_parts, big=True)


def _save(call: Call, request: Any, total: int, *, big: bool) -> bool:
    account, data = call.account, memoryview(request.bytes)
    key_id = call.login.key.id
    try:
        if call.world.network.disk_full:
            raise OSError(errno.ENOSPC, "the disk is full, by request")
        call.world.uploads.save(
            key_id, request.file_id, request.file_part, total, data, big=big, premium=account.premium
        )
    except PartRefused as error:
        raise RpcError(400, str(error)) from error
    except OSError as error:
        raise RpcError(500, "STORAGE_CHECK_FAILED") from error
    call.world.stats.part_arrived(account.id, request.file_id, request.file_part, len(data))
    return True


@rpc(functions.upload.GetFileRequest, passive=True)
def get_file(call: Call, request: Any) -> Any:
    file, blob = _content(call, request.location)
    if file.dc_id != call.dc.id:
        raise RpcError(303, f"FILE_MIGRATE_{file.dc_id}")
    _check_range(request.offset, request.limit, precise=bool(request.precise))
    content = blob.read(request.offset, request.limit)
    return types.upload.File(types.storage.FileUnknown(), file.created_at, content)


def _content(call: Call, place: Any) -> tuple[Document | Photo, Blob]:
    """The file that a location names, and the bytes of it that are meant. Raises RpcError."""
    match place:
        case types.InputDocumentFileLocation(thumb_size=""):
            found = document(call, place, "LOCATION_INVALID")
            return found, found.blob
        case types.InputDocumentFileLocation(thumb_size="m"):
            found = document(call, place, "LOCATION_INVALID")
            if found.thumb is not None:
                return found, found.thumb.blob
        case types.InputPhotoFileLocation(thumb_size="y"):
            shown = photo(call, place, "LOCATION_INVALID")
            return shown, shown.picture.blob
    raise RpcError(400, "LOCATION_INVALID")


def _check_range(offset: int, limit: int, *, precise: bool) -> None:
    """https://core.telegram.org/api/files#downloading-files"""
    unit = 1024 if precise else 4096
    if offset < 0 or offset % unit:
        raise RpcError(400, "OFFSET_INVALID")
    if not 0 < limit <= _MIB or limit % unit or (not precise and _MIB % limit):
        raise RpcError(400, "LIMIT_INVALID")
    if offset // _MIB != (offset + limit - 1) // _MIB:
        raise RpcError(400, "LIMIT_INVALID")

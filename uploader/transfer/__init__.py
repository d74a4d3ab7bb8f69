"""The transfer of a file's bytes to Telegram: our own upload-only MTProto connections."""

from uploader.transfer.carriers import Carrier, Carriers
from uploader.transfer.endpoint import Endpoint
from uploader.transfer.parts import CAP_BYTES, PART_BYTES, PART_LIMIT, all_but
from uploader.transfer.patience import Patience
from uploader.transfer.picture import pictured
from uploader.transfer.pool import PoolStatus, UploadPool
from uploader.transfer.sealing import take_short_turns
from uploader.transfer.upload import upload

__all__ = [
    "CAP_BYTES",
    "PART_BYTES",
    "PART_LIMIT",
    "Carrier",
    "Carriers",
    "Endpoint",
    "Patience",
    "PoolStatus",
    "UploadPool",
    "all_but",
    "pictured",
    "take_short_turns",
    "upload",
]

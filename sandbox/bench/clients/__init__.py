"""The clients that are measured, one file each. They run unmodified; only their address and key are set."""

from sandbox.bench.probe import Connect


def connect_of(name: str) -> Connect:
    """How one of the Python clients connects. Raises LookupError for a name that is none of theirs."""
    # each runs in a process of its own, which must not carry the memory of the others' libraries
    match name:
        case "telethon":
            from sandbox.bench.clients.telethon import connect as telethon

            return telethon
        case "fast":
            from sandbox.bench.clients.fast import connect as fast

            return fast
        case "kurigram":
            from sandbox.bench.clients.kurigram import connect as kurigram

            return kurigram
        case "limit":
            from sandbox.bench.clients.limit import connect as limit

            return limit
    raise LookupError(name)

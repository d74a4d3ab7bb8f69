"""What a file is called and said to be, by the page that it was found on."""

import re
from dataclasses import replace
from typing import Final

from uploader.model import MediaFacts, RemoteFile
from uploader.names import safe_name
from uploader.sources import answers
from uploader.sources.media.messages import Film, Format
from uploader.sources.sniffing import true_extension

_EXTENSION: Final = re.compile(r"[a-z0-9]{2,5}")


def named(remote: RemoteFile, film: Film, given: Format) -> RemoteFile:
    """`remote` under the film's title instead of the name of its address, as what its bytes are."""
    extension = true_extension(remote.mime_type, f".{given.ext}" if _EXTENSION.fullmatch(given.ext) else "")
    name = title_of(film, remote.name, extension)
    known = remote.mime_type != answers.OCTET_STREAM
    return replace(
        remote, name=name, mime_type=remote.mime_type if known else answers.mime_type_of_name(name)
    )


def described(remote: RemoteFile, film: Film) -> RemoteFile:
    """`remote`, with what its page says of it where the file itself says nothing."""
    ask = remote.facts
    if ask is None:
        return remote

    async def facts() -> MediaFacts | None:
        told = await ask()
        if told is None:
            return None
        # of a film its page knows more than its tags, of a song they do
        titles = (told.title, film.title) if told.kind == "audio" else (film.title, told.title)
        return replace(told, title=titles[0] or titles[1], performer=told.performer or film.uploader)

    return replace(remote, facts=facts)


def title_of(film: Film, fallback: str, extension: str) -> str:
    """The film's title as a file name; a slash in it is no step of a path."""
    title = re.sub(r"[/\\]", "-", film.title or "")
    return safe_name(title + extension, fallback=fallback, mime_type=None) if title else fallback

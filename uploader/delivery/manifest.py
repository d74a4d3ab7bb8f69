"""What people read about a file that comes in volumes: under each of them, and behind the last one."""

import shlex
from collections.abc import Sequence

from uploader.model import Caption, Volume
from uploader.names import joined_name
from uploader.quoting import TEXT_UNITS, quoted, spoken, units
from uploader.texts import Texts


def caption(texts: Texts, language: str, name: str, number: int, count: int | None) -> Caption:
    """What stands under volume `number` of `count` (None: nobody knows yet) of the file `name`."""
    if count is None:
        return spoken(texts.get(language, "volume", name=name, number=number))
    return spoken(texts.get(language, "volume-of", name=name, number=number, count=count))


def manifest(
    texts: Texts,
    language: str,
    name: str,
    volumes: Sequence[Volume],
    *,
    sha256_hex: str | None,
    uncut: bool,
) -> str:
    """All volumes of the file `name`, and how they become it again.

    `sha256_hex` is the whole file's, None if nobody read all of it. `uncut`: it is a film that could not be
    cut so that its parts play.
    """
    plays = volumes[0].plays
    head = texts.get(
        language,
        "manifest-plays" if plays else "manifest",
        name=name,
        count=len(volumes),
        total=texts.size(language, sum(volume.size_bytes for volume in volumes)),
        cap=texts.cap(language),
    )
    end = [] if plays else _joining(texts, language, joined_name(name), sha256_hex)
    if uncut:
        end.append(texts.get(language, "manifest-uncut"))
    end.append(texts.get(language, "manifest-settings"))
    with_digests, without = (
        "\n\n".join([head, "\n".join(_lines(texts, language, volumes, digests)), *end])
        for digests in (True, False)
    )
    return with_digests if units(with_digests) <= TEXT_UNITS else without


def _lines(texts: Texts, language: str, volumes: Sequence[Volume], digests: bool) -> list[str]:
    lines = list[str]()
    for volume in volumes:
        size = texts.size(language, volume.size_bytes)
        lines.append(texts.get(language, "manifest-volume", name=volume.name, size=size))
        if digests and volume.sha256_hex is not None:
            lines.append(volume.sha256_hex)
    return lines


def _joining(texts: Texts, language: str, name: str, sha256_hex: str | None) -> list[str]:
    """Commands stand on lines of their own, to be copied."""
    unix = quoted(f"cat {shlex.quote(name)}.0* > {shlex.quote(name)}")
    ways = [texts.get(language, "manifest-windows"), quoted(f'copy /b "{name}.0*" "{name}"')]
    ways += [texts.get(language, "manifest-unix"), unix, texts.get(language, "manifest-android")]
    said = ["\n".join([texts.get(language, "manifest-join"), *ways])]
    if sha256_hex is not None:
        said.append(texts.get(language, "manifest-whole") + "\n" + sha256_hex)
    return said

"""The buttons under our messages, and what their data means when it comes back.

Callback data comes from the person's client, which may be modified: it names a job and proves nothing.
Whoever acts on it checks that the job is the presser's own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from uploader.model import OverCap, Sponsor
from uploader.telegram.gateway import Button, Keyboard
from uploader.texts import Texts
from uploader.wishes import ASK, BEST, SOUNDS

_OF_JOB = re.compile(rb"(cancel|again):([0-9]{1,18})\Z")
_CHOSEN = re.compile(rb"over:(?P<over>split|refuse)\Z|preset:(?P<preset>[a-z0-9]{1,12})\Z")
#: Formats that can be had of all films, as the rows of `/settings`.
_PRESETS = ((ASK, BEST), ("v1080", "v720", "v480"), SOUNDS)
JOINED = b"joined"


@dataclass(frozen=True, slots=True)
class CancelPressed:
    """The cancel button of a job's status message."""

    job_id: int


@dataclass(frozen=True, slots=True)
class AgainPressed:
    """The retry button of a job that failed."""

    job_id: int


@dataclass(frozen=True, slots=True)
class JoinedPressed:
    """The "I have joined" button of a sponsor card."""


def pressed(data: bytes) -> CancelPressed | AgainPressed | JoinedPressed | None:
    """What a pressed button asks for; None: nothing of ours."""
    if data == JOINED:
        return JoinedPressed()
    match = _OF_JOB.match(data)
    if match is None:
        return None
    kind = CancelPressed if match[1] == b"cancel" else AgainPressed
    return kind(int(match[2]))


@dataclass(frozen=True, slots=True)
class Preset:
    """The format of all films; ASK: of none."""

    format: str


def chosen(data: bytes) -> OverCap | Preset | None:
    """What a pressed button of `settings` chooses; None: it is none of them."""
    match = _CHOSEN.match(data)
    if match is None:
        return None
    if match["over"]:
        return OverCap(match["over"].decode())
    named = {preset or "ask": preset for row in _PRESETS for preset in row}
    preset = named.get(match["preset"].decode())
    return None if preset is None else Preset(preset)


def settings(texts: Texts, language: str, preset: str, over_cap: OverCap) -> Keyboard:
    """What can be brought of films, and done with files above the cap; what is chosen is marked."""
    rows = [
        [
            (_preset_name(texts, language, each), b"preset:" + (each or "ask").encode(), each == preset)
            for each in row
        ]
        for row in _PRESETS
    ]
    rows += [
        [(texts.get(language, f"button-{each.value}"), b"over:" + each.value.encode(), each is over_cap)]
        for each in OverCap
    ]
    return [
        [
            Button(text=texts.get(language, "button-chosen", label=label) if is_on else label, data=data)
            for label, data, is_on in row
        ]
        for row in rows
    ]


def _preset_name(texts: Texts, language: str, preset: str) -> str:
    if preset in SOUNDS:
        return texts.get(language, "button-sound", kind=preset)
    if preset in (ASK, BEST):
        return texts.get(language, f"button-{preset or 'ask'}")
    return f"{preset.removeprefix('v')}p"


def cancel(texts: Texts, language: str, job_id: int) -> Keyboard:
    """The one button of a status message."""
    return [[Button(text=texts.get(language, "button-cancel"), data=b"cancel:%d" % job_id)]]


def of_job(job_id: int) -> tuple[bytes, ...]:
    """The data of buttons that only messages of this job have."""
    return b"cancel:%d" % job_id, b"again:%d" % job_id


def again(texts: Texts, language: str, job_id: int) -> Keyboard:
    """The one button of a job that failed."""
    return [[Button(text=texts.get(language, "button-again"), data=b"again:%d" % job_id)]]


def sponsor_card(texts: Texts, language: str, missing: Sequence[Sponsor]) -> Keyboard:
    """A join button for each channel, then "I have joined"."""
    rows = [
        [
            Button(
                text=texts.get(language, "button-join", title=sponsor.title),
                url=f"https://t.me/{sponsor.username}",
            )
        ]
        for sponsor in missing
    ]
    return [*rows, [Button(text=texts.get(language, "button-joined"), data=JOINED)]]

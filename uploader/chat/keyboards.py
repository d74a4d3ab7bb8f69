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

_OF_JOB = re.compile(rb"(cancel|again):([0-9]{1,18})\Z")
_CHOICE = re.compile(rb"over:(split|refuse)\Z")
_JOINED = b"joined"


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
    if data == _JOINED:
        return JoinedPressed()
    match = _OF_JOB.match(data)
    if match is None:
        return None
    kind = CancelPressed if match[1] == b"cancel" else AgainPressed
    return kind(int(match[2]))


def chosen(data: bytes) -> OverCap | None:
    """What a pressed button of `settings` chooses; None: it is none of them."""
    match = _CHOICE.match(data)
    return OverCap(match[1].decode()) if match else None


def settings(texts: Texts, language: str) -> Keyboard:
    """What can be done with files above the cap."""
    return [
        [Button(text=texts.get(language, f"button-{choice.value}"), data=b"over:" + choice.value.encode())]
        for choice in OverCap
    ]


def cancel(texts: Texts, language: str, job_id: int) -> Keyboard:
    """The one button of a status message."""
    return [[Button(text=texts.get(language, "button-cancel"), data=b"cancel:%d" % job_id)]]


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
    return [*rows, [Button(text=texts.get(language, "button-joined"), data=_JOINED)]]

"""How much runs at once on machines of all sizes, and which errors are the machine's own."""

import errno
import os

import pytest

from uploader import machine
from uploader.errors import Reason
from uploader.failure import Rest, judge
from uploader.machine import Machine, Room

GIB = 1024**3


def of(cores: int, gib: float, descriptors: int) -> Room:
    """The room on such a machine."""
    return machine.room(Machine(cores=cores, memory_bytes=int(gib * GIB), descriptors=descriptors))


@pytest.mark.parametrize("cores", [1, 2, 8, 128])
@pytest.mark.parametrize("gib", [0.1, 0.5, 4, 512])
@pytest.mark.parametrize("descriptors", [16, 64, 128, 1024, 65_536])
def test_room_when_the_machine_is_of_any_size_is_neither_nothing_nor_more_than_there_is(
    cores: int, gib: float, descriptors: int
) -> None:
    """Two jobs at least; and whatever all of them open together stays below what may be open."""
    room = of(cores, gib, descriptors)
    assert 2 <= room.swift <= room.all
    assert 2 <= room.upload_connections
    if descriptors >= 128:
        assert room.site_connections + room.upload_connections < descriptors


def test_room_when_there_is_more_of_everything_is_larger() -> None:
    """Each of cores, memory and descriptors can be what bounds it."""
    plenty = of(8, 64, 65_536)
    assert of(1, 64, 65_536).swift < plenty.swift
    assert of(8, 0.5, 65_536).swift < plenty.swift
    assert of(8, 64, 128).all < plenty.all


@pytest.mark.parametrize(("descriptors", "is_small"), [(64, True), (128, True), (1024, False)])
def test_sentence_when_few_files_may_be_open_says_what_to_do(descriptors: int, is_small: bool) -> None:
    """An operator reads the bound where it hurts, and the command."""
    found = Machine(cores=2, memory_bytes=GIB, descriptors=descriptors)
    told = machine.sentence(found, machine.room(found))
    assert is_small == ("raise `ulimit -n` to 1024" in told)
    assert f"{descriptors} open files" in told


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.ENOMEM])
def test_judge_when_the_machine_has_nothing_left_counts_no_attempt(number: int) -> None:
    """Neither a bug nor a site: the job rests, however often."""
    verdict = judge(OSError(number, os.strerror(number)), failures=100)
    assert isinstance(verdict, Rest)
    assert Reason.NO_ROOM == verdict.reason

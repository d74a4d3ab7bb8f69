"""The pieces of one read that are fetched side by side, and handed on in their order. Pure: no I/O, no time.

Of the bytes from `at` on, some stretch is cut into pieces that follow one another. Each is fetched by one
connection at a time; what it brought stays, and only the rest of it is asked for again. No more pieces are
held than the caller allows, so that memory does not depend on the size of the file.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from uploader.limits import MIB

#: Small enough for memory, large enough that the wait for an answer is a small part of the time it takes.
PIECE_BYTES: Final = 2 * MIB


@dataclass(eq=False, slots=True)
class Piece:
    """The bytes [start, stop) of a file; those up to `got` came."""

    start: int
    stop: int
    got: int
    begun: int = 0  # where it was asked for the last time
    asked: int = 0  # times
    is_running: bool = False  # somebody fetches it
    chunks: deque[bytes] = field(default_factory=deque)  # not handed on yet

    @property
    def is_whole(self) -> bool:
        """Whether all of it came."""
        return self.got == self.stop


class Window:
    """What of one read is under way or waits to be handed on."""

    def __init__(self, start: int, stop: int, piece_bytes: int = PIECE_BYTES) -> None:
        """The bytes [start, stop)."""
        self.at = start  # all before was handed on
        self.stop = stop
        self._next = start  # new pieces begin here
        self._piece_bytes = piece_bytes
        self._pieces: deque[Piece] = deque()  # neighbours, from `at` or later on

    def __len__(self) -> int:
        """How many pieces are held."""
        return len(self._pieces)

    def __iter__(self) -> Iterator[Piece]:
        """The pieces in their order."""
        return iter(self._pieces)

    @property
    def unasked_bytes(self) -> int:
        """How much lies behind all pieces."""
        return self.stop - self._next

    def lead(self) -> None:
        """Whoever reads from `at` on goes as far as a piece: the first one begins there."""
        if not self._pieces:
            self._next = min(self.at + self._piece_bytes, self.stop)

    def ask(self, most: int) -> Piece | None:
        """The first piece that somebody should fetch, from its `got` on; it counts as running.

        A new one if fewer than `most` are held; None: all are whole or running.
        """
        piece = next((each for each in self._pieces if not each.is_running and not each.is_whole), None)
        if piece is None and len(self._pieces) < most and self._next < self.stop:
            start, self._next = self._next, min(self._next + self._piece_bytes, self.stop)
            piece = Piece(start, self._next, got=start)
            self._pieces.append(piece)
        if piece is not None:
            piece.begun = piece.got
            piece.asked += 1
            piece.is_running = True
        return piece

    def put(self, piece: Piece, chunk: bytes) -> None:
        """The next bytes of a running piece.

        Raises:
            ValueError: they are not asked for.
        """
        if not piece.is_running or piece.got + len(chunk) > piece.stop:
            raise ValueError("bytes that were not asked for")
        piece.chunks.append(chunk)
        piece.got += len(chunk)

    def rest(self, piece: Piece) -> None:
        """Nobody fetches `piece` any more: what it lacks may be asked for again."""
        piece.is_running = False

    def take(self) -> bytes:
        """The next bytes of the file, if they came."""
        first = self._pieces[0] if self._pieces else None
        if first is None or first.start > self.at or not first.chunks:
            return b""
        chunk = first.chunks.popleft()
        self.skip(len(chunk))
        return chunk

    def skip(self, size_bytes: int) -> None:
        """So many bytes were handed on."""
        self.at += size_bytes
        self._next = max(self._next, self.at)
        if self._pieces and self._pieces[0].stop <= self.at:
            self._pieces.popleft()

    def gap(self) -> int:
        """Where the first piece begins that holds something or runs; those before it are given up.

        Up to there the bytes from `at` on are for whoever reads. The end of all if there is no such piece.
        """
        while self._pieces and not self._pieces[0].chunks and not self._pieces[0].is_running:
            self._pieces.popleft()
        if not self._pieces:
            self._next = self.at
        return self._pieces[0].start if self._pieces else self.stop

"""What is offered of an album, whatever comes of it first."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from uploader.wishes import ALBUM_FILES, FILE_LINKS, AlbumFile, Entry, Offer, belong, joined


def alone(number: int, as_document: bool | None, link: str = "") -> Offer:
    """A file of an album, as it comes."""
    file = AlbumFile(message_id=number, name=f"{number}.bin", size_bytes=number, as_document=as_document)
    return Offer(
        kind="file",
        title=file.name,
        size_bytes=number,
        as_document=as_document,
        album_id=7,
        files=(file,),
        entries=(Entry(link=link),) if link else (),
    )


@given(order=st.permutations(range(1, ALBUM_FILES + 1)), again=st.integers(1, ALBUM_FILES))
def test_album_when_its_files_come_in_any_order_and_again_is_the_same(order: list[int], again: int) -> None:
    """In the order in which they were sent, each once, with what can be had of all."""
    files = [alone(number, None if number % 2 else True, "https://a.example/1") for number in order]
    album = files[0]
    for file in [*files[1:], alone(again, False)]:
        album = joined(album, file)
    assert list(range(1, ALBUM_FILES + 1)) == [file.message_id for file in album.files]
    assert ("1.bin", 55, True, 1) == (album.title, album.size_bytes, album.as_document, len(album.entries))


def test_album_when_more_is_sent_than_telegram_lets_through_is_bounded() -> None:
    """What is too much is another album, and not lost; kinds that differ have no button."""
    album = alone(1, as_document=True)
    for number in range(2, ALBUM_FILES + 1):
        album = joined(album, alone(number, as_document=False, link=f"https://a.example/{number}"))
    assert (ALBUM_FILES, None) == (len(album.files), album.as_document)
    changed = [alone(2, as_document=False, link=f"https://a.example/more/{number}") for number in range(9)]
    for each in changed:
        assert belong(album, each)
        album = joined(album, each)
    assert FILE_LINKS == len(album.entries)
    assert not belong(album, alone(ALBUM_FILES + 1, as_document=None))
    assert not belong(album, replace(alone(1, as_document=None), album_id=8))

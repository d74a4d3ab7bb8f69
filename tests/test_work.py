"""How much work the worst of what people send makes: it grows with its length, and no faster."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from uploader import names, posts, ranges, sameness, spans, template
from uploader.batching import Batching
from uploader.chat import batch_buttons, choice, file_card, keyboards, list_card, text_files
from uploader.sources.guard import Guard
from uploader.sources.routing import explain

#: Four times as long may cost so many times as much; sixteen times is what something quadratic costs.
MOST_TIMES = 9
SHORT_CHARACTERS = 8 * 1024
#: Below this the clock of the processor tells nothing.
FLOOR_S = 0.005

PIECES = (
    *(
        "a",
        "a.",
        "a-",
        "1",
        "1.1.1.1 ",
        "www.",
        "a:",
        "://",
        "a:// ",
        "magnet:x ",
        "a@",
        "a.com ",
        "http://a/).",
    ),
    *("https://a.example/x ", "http://é.example/ ", ".", "-", " ", "\n", "\t", "\u200f", "\u200c", "\u2028"),
    *(
        "\u064b\u200c",
        "ا\u200c",
        "e\u0301",
        "\u0301",
        "😀",
        "👨\u200d",
        "🇮",
        "é.",
        ")",
        "(",
        "'",
        "%",
        "&a=1",
        "&",
    ),
    *(
        "?",
        "#",
        "/",
        "\\",
        "1:20-2:35 ",
        "1,",
        "-1,",
        "1- ",
        "to ",
        "\0",
        "{",
        "<",
        "\ud800",
        "Ａ",
        "ﷺ",
        "İ",
        "[a](",
    ),
    *("tg://resolve?a=1 ", "/a@b ", "xn--a.", "a:b@", "[::1]", "0x1."),
)


def _batching(most: int = 50) -> Batching:
    """One that finds links, and can do nothing else."""
    nothing: Any = None
    return Batching(*[nothing] * 5, static_verdict=Guard(()).static_verdict, account_id=1, most=most)


def _pressed(text: str) -> object:
    data = text.encode(errors="surrogatepass")
    presses: Sequence[Callable[[bytes], object]] = (
        *(keyboards.pressed, keyboards.chosen, choice.pressed),
        *(list_card.pressed, batch_buttons.pressed, file_card.pressed),
    )
    return [pressed(data) for pressed in presses]


READERS: dict[str, Callable[[str], object]] = {
    "message": lambda text: asyncio.run(_batching().find(text)),
    "link": lambda text: asyncio.run(_batching().find(f"http://a.example/{text}")),
    "host": lambda text: _batching().verdict(f"http://{text}"),
    "fragment": lambda text: _batching().verdict(f"http://a.example/#{text}"),
    "app's link": lambda text: posts.over_http(f"tg://resolve?{text}"),
    "behind a link": lambda text: spans.after(f"http://a/ {text}", len("http://a/")),
    "span": spans.parse,
    "numbers": lambda text: ranges.parse(text, 500),
    "name": lambda text: names.renamed("film.mp4", text, None),
    "words": template.plain,
    "button": _pressed,
    "same": lambda text: sameness.without_tracking(f"http://a/?{text}", "a"),
    "file": lambda text: text_files.text_of(b"\xff\xfe" + text.encode(errors="surrogatepass")),
}


def _cost_s(read: Callable[[str], object], text: str) -> float:
    """What one reading costs the processor, the least of three, for others use it as well."""
    costs_s = []
    for _ in range(3):
        began = time.process_time()
        read(text)
        costs_s.append(time.process_time() - began)
        if costs_s[-1] < FLOOR_S:
            break
    return min(costs_s)


@pytest.mark.parametrize("reader", READERS)
def test_reading_when_the_text_is_the_worst_costs_as_much_as_it_is_long(reader: str) -> None:
    """Four times the text is about four times the work, whatever is written over and over.

    six-ddc/ccbot#37: brackets that close nothing kept a bot's processor busy for good.
    """
    read = READERS[reader]
    costly = []
    for piece in PIECES:
        long = (piece * 4 * SHORT_CHARACTERS)[: 4 * SHORT_CHARACTERS]
        if _cost_s(read, long) > MOST_TIMES * max(FLOOR_S, _cost_s(read, long[:SHORT_CHARACTERS])):
            costly.append(piece)
    assert [] == costly


async def test_find_when_thousands_of_links_are_the_same_looks_at_a_few() -> None:
    """Links that differ in nothing but what counts visits are one link; the others are told as left out."""
    text = "\n".join(f"http://a.example/film?utm_source={number}" for number in range(5000))
    found = await _batching(most=10).find(text)
    assert 1 == len(found.wanted)
    assert 5000 - 40 == found.more


@pytest.mark.parametrize(
    "text", ["tg://resolve?" + "a=1&" * 500, "http://a.example/x?" + "&" * 1500], ids=["tg", "http"]
)
def test_link_when_it_has_hundreds_of_fields_is_read_all_the_same(text: str) -> None:
    """No number of fields is an error of ours (`parse_qsl` may be told to raise above a number)."""
    assert explain(text, Guard(()), lambda url: "generic").verdict in {"allowed", "refused"}

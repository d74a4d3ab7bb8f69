"""Which links are messages on Telegram, and which only look so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.errors import NotALink
from uploader.links import find, parse
from uploader.model import Link
from uploader.posts import Post, Sent, link_to, message_of, names_chat, over_http


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://t.me/Films_one/123", Post("films_one", 123)),
        ("http://www.t.me/films_one/123/", Post("films_one", 123)),
        ("t.me/films_one/123?single", Post("films_one", 123)),
        ("https://t.me/films_one/123?comment=7", Post("films_one", 123)),
        ("https://telegram.me/films_one/123", Post("films_one", 123)),
        ("https://telegram.dog/films_one/123", Post("films_one", 123)),
        ("https://films_one.t.me/123", Post("films_one", 123)),
        ("https://t.me/s/films_one/123", Post("films_one", 123)),
        ("https://t.me/films_one/4/123", Post("films_one", 123)),
        ("https://t.me/c/1500000001/123", Post(1500000001, 123)),
        ("https://t.me/c/1500000001/4/123?single", Post(1500000001, 123)),
        ("tg://resolve?domain=films_one&post=123", Post("films_one", 123)),
        ("tg:resolve?post=123&domain=films_one&single", Post("films_one", 123)),
        ("tg://privatepost?channel=1500000001&post=123", Post(1500000001, 123)),
    ],
)
def test_link_when_it_names_a_message_is_known_as_one(text: str, expected: Post) -> None:
    """All forms that Telegram's clients copy, as people send them."""
    found = find(text)
    link = parse(found if found is not None else text, fragment=True)
    assert expected == message_of(link)
    assert link == parse(link.url, fragment=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://t.me/films_one",
        "https://t.me/films_one/0",
        "https://t.me/films_one/012",
        "https://t.me/films_one/1234567890",
        "https://t.me/films_one/12a",
        "https://t.me/films_one/1/2/3",
        "https://t.me/c/12",
        "https://t.me/c/abc/12",
        "https://t.me/c/1/2/3/4",
        "https://t.me/+AbCdEf/12",
        "https://t.me/joinchat/AbCdEf",
        "https://t.me/iv/5",
        "https://t.me/",
        "https://example.com/films_one/123",
        "https://t.me.example.com/films_one/123",
        "https://a.b.t.me/123",
        "https://nott.me/films_one/123",
        "https://t.me:8443/films_one/123",
    ],
)
def test_link_when_it_names_no_message_is_left_to_others(url: str) -> None:
    """Names, invitations, other hosts and numbers that no message has."""
    assert message_of(parse(url)) is None


@pytest.mark.parametrize(
    "raw",
    [
        "tg://message?id=5",
        "tg:message?id=5",
        "TG://MESSAGE?id=5",
        "tg://resolve?domain=films_one",
        "tg://resolve?domain=c%2F1500000001&post=5",
        "tg://user?id=5",
        "tg://resolve?domain=films_one&post=5%0A",
        "tg://privatepost?channel=message&post=5",
    ],
)
def test_link_of_an_app_when_it_names_no_post_is_none_of_ours(raw: str) -> None:
    """Above all nobody can send the link by which a job knows a private message."""
    assert raw == over_http(raw)
    with pytest.raises(NotALink):
        parse(raw)


@given(st.text(max_size=60))
def test_link_when_parsed_from_any_text_never_names_a_private_message(text: str) -> None:
    """Whatever somebody sends: `Sent` is made by the bot alone."""
    for raw in (text, f"tg://message?id={text}", f"https://t.me/{text}", f"tg:{text}"):
        try:
            assert not isinstance(message_of(parse(raw, fragment=True)), Sent)
        except NotALink:
            continue


def test_link_to_what_was_sent_leads_back_to_it() -> None:
    """And its host is fit to be shown."""
    assert (Sent(7), "t.me") == (message_of(link_to(7)), link_to(7).host)
    assert message_of(Link(url="https://example.com/tg://message?id=5", host="example.com")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://t.me/films_one", True),
        ("https://films_one.t.me/", True),
        ("https://telegram.me/joinchat/AAAAAE", True),
        ("https://t.me/+AbCdEf", True),
        ("https://t.me/films_one/123", False),
        ("https://films_one.t.me/123", False),
        ("https://example.com/t.me", False),
        ("https://not-t.me/films_one", False),
    ],
)
def test_link_when_it_leads_to_a_chat_and_no_message_is_told_from_files(text: str, expected: bool) -> None:
    """Channels sign what they post with such links."""
    assert expected == names_chat(parse(text))

"""Links that lead to the same file have the same key, and no others do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader import links
from uploader.errors import NotALink
from uploader.sameness import BY_SITE, EVERYWHERE, holds_secret, key, without_tracking
from uploader.wishes import Wish


def key_of(url: str) -> str | None:
    """The key of a link as it is sent, for one account."""
    return key(links.parse(url, fragment=True), 1)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/f.mp4", "https://a.example/f.mp4"),
        ("https://a.example/f.mp4?utm_source=x", "https://a.example/f.mp4"),
        ("https://a.example/f.mp4?id=7&utm_medium=x&fbclid=y", "https://a.example/f.mp4?id=7"),
        ("https://a.example/f?utm_id=1&id=7#part", "https://a.example/f?id=7#part"),
        ("https://www.youtube.com/watch?v=abc&si=def", "https://www.youtube.com/watch?v=abc"),
        ("https://youtu.be/abc?si=def&t=30", "https://youtu.be/abc?t=30"),
        ("https://x.com/a/status/1?s=20&t=xyz", "https://x.com/a/status/1"),
    ],
)
def test_link_when_it_was_passed_on_loses_what_tells_that(url: str, expected: str) -> None:
    """Known parameters go, all others stay where they are."""
    assert expected == without_tracking(url, links.parse(url).host)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/f.mp4?s=1&t=2&si=3&feature=4",  # of no site that uses them to count
        "https://notx.com/f?s=20",
        "https://x.com.evil.example/f?s=20",
        "https://a.example/f.mp4?",
        "https://a.example/f.mp4?&&a=",
        "https://a.example/f.mp4?UTM_SOURCE=x",
        "https://a.example/f.mp4?q=utm_source=x",
        "https://a.example/f.mp4?a=%26utm_source=x",
        "https://a.example/utm_source=x/f.mp4",
        "https://a.example/f.mp4?b=1&a=2",
        "https://a.example/f.mp4#?utm_source=x",
    ],
)
def test_link_when_a_part_may_matter_stays_to_the_letter(url: str) -> None:
    """What looks alike and means something is not touched: nobody gets another file than asked for."""
    assert url == without_tracking(url, links.parse(url, fragment=True).host)


PAIRS = st.lists(
    st.tuples(
        st.text("abst_=%", max_size=5).filter(lambda name: not holds_secret(f"?{name}")),
        st.text("xyz%=", max_size=4),
    ),
    max_size=4,
)


@given(PAIRS, st.sampled_from(sorted(EVERYWHERE)), st.integers(0, 4))
def test_key_when_tracking_is_added_anywhere_is_the_same(
    pairs: list[tuple[str, str]], tracking: str, at: int
) -> None:
    """Wherever it is put among the others."""
    query = [f"{name}={value}" for name, value in pairs if name.partition("=")[0] not in EVERYWHERE]
    with_it = [*query[:at], f"{tracking}=1", *query[at:]]
    plain = "https://a.example/f" + ("?" + "&".join(query) if query else "")
    assert key_of(plain) == key_of("https://a.example/f?" + "&".join(with_it))


@given(st.text("abc?&=#/", max_size=12), st.text("abc?&=#/", max_size=12))
def test_key_when_links_differ_otherwise_is_another(one: str, other: str) -> None:
    """Only what is in the rules makes no difference; so does the account, and the way it is sent."""
    urls = []
    for tail in (one, other):
        try:
            urls.append(links.parse(f"https://a.example/{tail}", fragment=True).url)
        except NotALink:
            return
    keys = {key_of(url) for url in urls}
    assert len(keys) == len(set(urls))


WISHES = st.builds(
    Wish,
    format=st.sampled_from(["", "v720", 'v720", "']),
    subtitles=st.sampled_from(["", "fa", "v720"]),
    start_s=st.sampled_from([0.0, 1.5]),
    stop_s=st.sampled_from([None, 1.5, 3.0]),
    name=st.sampled_from(["", "a", 'a", "fa']),
    caption=st.sampled_from([None, "", "mine"]),
    as_document=st.sampled_from([None, True, False]),
)


@given(st.integers(1, 2), WISHES, st.integers(1, 2), WISHES)
def test_key_when_the_file_is_wanted_otherwise_is_another(
    account: int, one: Wish, other_account: int, other: Wish
) -> None:
    """All of a wish but the words under the file, and the account that sends it, are part of the key."""
    link = links.parse("https://a.example/f")
    same = (account, replace(one, caption=None)) == (other_account, replace(other, caption=None))
    assert same == (key(link, account, one) == key(link, other_account, other))


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.example/b/f.mp4?X-Amz-Signature=abc&X-Amz-Expires=900",
        "https://storage.example/f?GoogleAccessId=a&Signature=b&Expires=1",
        "https://blob.example/f?sv=2024&sig=abc",
        "https://a.example/f.mp4?access_token=abc",
        "https://a.example/f.mp4?a=1&TOKEN=abc",
        "https://a.example/f.mp4?%74oken=abc",
        "https://a.example/f.mp4;jsessionid=abc?a=1",
        "https://a.example/f.mp4?st=abc&e=12345",
        "https://a.example/f.mp4?md5=abc&expires=12345",
        "https://cdn.example/f.mp4?hdnea=exp=1~hmac=abc",
        "https://a.example/f.mp4?auth=abc",
        "https://a.example/f.mp4?key=abc",
        "https://a.example/f.mp4#access_token=abc",
    ],
)
def test_key_when_the_link_holds_a_secret_is_none(url: str) -> None:
    """What was signed for somebody, or opens by a key, is fetched for each who sends it."""
    assert key_of(url) is None


def test_link_when_it_names_a_user_is_no_link_at_all() -> None:
    """A name and a password before the host never come as far as a key."""
    with pytest.raises(NotALink):
        links.parse("https://user:pass@a.example/f.mp4")


def test_key_when_read_tells_nothing_of_the_link() -> None:
    """It stands in the database for longer than the job, so it is a digest."""
    assert "a.example" not in str(key_of("https://a.example/f"))


def test_rules_when_read_name_parameters_of_sites() -> None:
    """Each is a plain name: no pattern that could take more than was meant."""
    names = set(EVERYWHERE).union(*BY_SITE.values())
    assert all(name.replace("_", "").isalnum() and name == name.lower() for name in names)

"""Where a link begins and ends in what people write, paste and forward: as a client shows it.

The situations are public reports, named beside them; the texts are our own.
"""

import pytest

from uploader.links import find_all

A, B = "https://a.example/x.zip", "https://b.example/y.zip"

CASES = {
    # markdown, as people copy it from chats and pages (markdown-it/linkify-it#15, telegram-bot-api notes)
    f"[a file]({A})": [A],
    f"[{A}]({A})": [A, A],
    f"[{A}]({B})": [A, B],
    f"![picture]({A})": [A],
    f"**{A}**": [A],
    f"__{A}__": [A],
    f"*{A}*": [A],
    f"~~{A}~~": [A],
    f"||{A}||": [A],
    f"`{A}`": [A],
    f"```\n{A}\n```": [A],
    f"1. {A}\n2. {B}": [A, B],
    f"- {A}\n- {B}": [A, B],
    f"> {A}": [A],
    f'[1]: {A} "title"': [A],
    f"| {A} | {B} |": [A, B],
    f"|{A}|{B}|": [A, B],
    "https://a.example/ends_": ["https://a.example/ends_"],
    "https://a.example/a*b*": ["https://a.example/a*b*"],
    "https://a.example/~user~": ["https://a.example/~user~"],
    # HTML
    f'<a href="{A}">here</a>': [A],
    f"<a href='{A}'>here</a>": [A],
    f"<b>{A}</b>": [A],
    f"<{A}>": [A],
    f"<{A}><{B}>": [A, B],
    # quotes of all scripts
    f"“{A}”": [A],
    f"„{A}“": [A],
    f"‚{A}‘": [A],
    f"«{A}»": [A],
    f"‹{A}›": [A],
    f"'{A}'": [A],
    f'"{A}"': [A],
    f"「{A}」": [A],
    f"『{A}』": [A],
    f"《{A}》": [A],
    f"【{A}】": [A],
    f"（{A}）": [A],
    f"({A})": [A],
    f"[{A}]": [A],
    f"{{{A}}}": [A],
    f"({A}).": [A],
    f"«{A}»،": [A],
    # brackets that belong to the link
    "https://a.example/X_(y)": ["https://a.example/X_(y)"],
    "(https://a.example/X_(y))": ["https://a.example/X_(y)"],
    "https://a.example/X_（y）": ["https://a.example/X_（y）"],
    "https://a.example/?q[]=1&q[]=2": ["https://a.example/?q[]=1&q[]=2"],
    # punctuation behind it, of all scripts
    **{f"{A}{mark}": [A] for mark in [*".,;:!?", "...", "…", "?!", "!!!"]},
    **{f"{A}{mark}": [A] for mark in "،؛؟۔٪"},  # Arabic and Persian
    **{f"{A}{mark}": [A] for mark in "。，、；：？！"},  # Chinese and Japanese
    **{f"{A}{mark}": [A] for mark in "।॥"},  # Hindi
    **{f"{A}{mark}": [A] for mark in "։՞"},  # Armenian
    f"{A}\u0640": [A],  # a tatweel
    f"{A}\u0640\u0640\u0640": [A],
    f"\u0640{A}": [A],
    f"{A}\u200c": [A],
    f"{A}\ufe0f": [A],
    f"{A}👇": [A],
    f"👉{A}": [A],
    f"{A} 👈": [A],
    f"{A}—": [A],
    f"{A}–{B}": [A, B],
    # words glued before it
    f"لینک:{A}": [A],
    f"لینک{A}": [A],
    f"link{A}": [A],
    f"url={A}": [A],
    f"URL:{A}": [A],
    f"see:{A}": [A],
    f"x{A}": [A],
    f"下载{A}": [A],
    # two links glued
    f"{A}{B}": [A, B],
    f"{A},{B}": [A, B],
    f"{A};{B}": [A, B],
    f"{A}،{B}": [A, B],
    f"{A}|{B}": [A, B],
    f"{A}\u200b{B}": [A, B],
    f"{A}\u00a0{B}": [A, B],
    f"{A})({B}": [A, B],
    # a link within a link is one
    f"https://archive.example/web/2020/{A}": [f"https://archive.example/web/2020/{A}"],
    f"https://go.example/?url={A}": [f"https://go.example/?url={A}"],
    f"https://go.example/?a=1&url={A}": [f"https://go.example/?a=1&url={A}"],
    f"https://go.example/#{A}": [f"https://go.example/#{A}"],
    f"https://go.example/{A}&b=2": [f"https://go.example/{A}&b=2"],
    # Persian addresses are written with their own letters, and with a half-space
    "https://a.example/می\u200cخواهم": ["https://a.example/می\u200cخواهم"],
    "https://fa.a.example/wiki/تهران،_پایتخت": ["https://fa.a.example/wiki/تهران،_پایتخت"],
    "https://zh.a.example/wiki/星球大战：新希望": ["https://zh.a.example/wiki/星球大战：新希望"],
    # without a scheme
    "a.example/x.zip": ["https://a.example/x.zip"],
    "(a.example/x.zip)": ["https://a.example/x.zip"],
    "«a.example/x.zip»": ["https://a.example/x.zip"],
    "دانلود:a.example/x.zip": ["https://a.example/x.zip"],
    # what is none
    "://": [],
    "http://": [],
    "httpshttp": [],
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_text_when_it_holds_links_gives_these_and_nothing_around_them(text: str, expected: list[str]) -> None:
    """Neither a part of the text comes with a link, nor a part of a link is left."""
    assert expected == [mention.raw for mention in find_all(text)]

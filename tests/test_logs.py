"""Secrets are cut out of every record, whoever wrote it."""

import json
import subprocess
import sys

import pytest

from uploader.logs import Redactor

TOKEN = "123456789:AAEabcdefghijklmnopqrstuvwxyz0123456"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"bot {TOKEN} started", "bot *** started"),
        ("the hash is s3cr3thash!", "the hash is ***!"),
        ("GET https://user:pw@files.example/private/a.mp4?sig=1", "GET https://files.example/***"),
        (
            "see <http://h.example:8080/x> and ftp://f.example/y",
            "see <http://h.example:8080/***> and ftp://f.example/***",
        ),
        ("nothing secret at 12:30", "nothing secret at 12:30"),
    ],
)
def test_redactor_when_text_holds_a_secret_cuts_it_out(text: str, expected: str) -> None:
    """Tokens by form, configured secrets to the letter, links down to their host."""
    assert expected == Redactor(["s3cr3thash"]).text(text)


PROGRAM = """
import logging, sys, structlog
from uploader import logs
logs.configure("INFO", "json", ["s3cr3thash"])
token = "123456789:AAEabcdefghijklmnopqrstuvwxyz0123456"
ours = structlog.get_logger("uploader.x")
ours.info("ours " + token, link="https://h.example/private?k=1", number=7, error=ValueError("s3cr3thash"))
logging.getLogger("telethon").error("theirs %s", token)
try:
    raise RuntimeError("s3cr3thash at https://h.example/private")
except RuntimeError:
    ours.exception("broke")
logging.getLogger("telethon").info("chatter of libraries")
"""


def test_logs_when_anybody_writes_hold_no_secret() -> None:
    """Our records, a library's, and tracebacks all pass the same redaction; one JSON object a line."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    for secret in (TOKEN, "s3cr3thash", "private"):
        assert secret not in done.stderr + done.stdout
    records = [json.loads(line) for line in done.stderr.splitlines()]
    assert ["ours ***", "theirs ***", "broke"] == [record["event"] for record in records]
    assert 7 == records[0]["number"]
    assert "Traceback" in records[2]["exception"]

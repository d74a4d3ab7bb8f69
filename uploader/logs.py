"""One log for all records, ours and the libraries', with secrets cut out of every line."""

import logging
import re
import sys
from collections.abc import Sequence
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

#: A bot token wherever it stands, and everything behind the path of a link: both are secrets of somebody.
_TOKEN = re.compile(r"\b\d{5,}:[A-Za-z0-9_-]{30,}\b")
_LINK = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)(?:[^\s/@]*@)?([^\s/?#'\"<>]*)[^\s'\"<>]*")
_DATABASE_DRIVERS = ("sqlite", "postgresql")
HIDDEN = "***"


class Redactor:
    """Cuts secrets out of text: known ones to the letter, tokens and links by their form."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def text(self, text: str) -> str:
        """`text` without secrets; of links only scheme and host remain."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return _LINK.sub(r"\1\2/" + HIDDEN, _TOKEN.sub(HIDDEN, text))

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """As a structlog processor: every text in the record."""
        return {
            key: self.text(value)
            if isinstance(value, str)
            else value
            if isinstance(value, int | float | bool | None) or key.startswith("_")
            else self.text(str(value))
            for key, value in event.items()
        }


def configure(level: str, log_format: Literal["text", "json"], secrets: Sequence[str]) -> None:
    """Send all records of the process to standard error, redacted.

    Args:
        level: of our own records; libraries are heard from WARNING on.
        log_format: "text" for people, "json" for collectors.
        secrets: values that must never appear, whatever else they look like.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                Redactor(secrets),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("uploader").setLevel(level)

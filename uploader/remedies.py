"""What an operator does about a setting that is missing or cannot be used."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: What to do about a missing or unusable value; shown behind the key's name.
FIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "api_id": "take it from my.telegram.org, API development tools",
        "api_hash": "take it from my.telegram.org, API development tools",
        "bot_token": "take it from @BotFather; it looks like 123456789:AAE...",
        "admins": "numeric Telegram ids, separated by commas, such as 12345678,87654321",
        "database_url": "sqlite:///path or postgresql://user:password@host/name; empty: SQLite in DATA_DIR",
        "language": "en or fa",
        "log_level": "DEBUG, INFO, WARNING or ERROR",
        "log_format": "text or json",
        "links_per_minute": "a number of links; 0: no limit",
        "files_per_day": "a number of files; 0: no limit",
        "gib_per_day": "a number of GiB; 0: no limit",
        "secret_key": "at least 32 characters, as `openssl rand -hex 32` makes; empty: a file in DATA_DIR",
        "media_canaries": "links of films, separated by blanks",
        "work_gib": "a number of GiB; 0: no limit",
        "queue_jobs": "a number of jobs; 0: no limit",
        "caption": r"text such as {title:bold}\n{duration}, {size}; empty: no captions",
        "dc_id": "a number from 1 on; unset for Telegram itself",
        "dc_address": "host:port of the data centre; unset for Telegram itself",
        "dc_public_key": "path of the data centre's RSA public key (PEM); unset for Telegram itself",
        "proxy": "such as socks5://user:password@host:1080 or http://host:8080",
        "transport": "abridged, or obfuscated for networks that look for Telegram's protocol",
        "upload_connections": "a number from 1 to 64",
        "upload_connections_max": "a number from 1 to 64, and not less than PEYK_UPLOAD_CONNECTIONS",
        "volume_mib": "a number from 1 to 2000",
        "storage_chat": "a channel's @username, or its id such as -1001234567890",
        "carriers": "tokens of further bots, separated by commas; they need PEYK_STORAGE_CHAT",
        "upload_window": "a number from 1 to 16",
        "allow_networks": (
            "networks that links may reach besides the internet, such as 127.0.0.0/8,10.1.0.0/16"
        ),
        "closed_ports": (
            "ports from 1 to 65535, separated by commas, that links never reach in ALLOW_NETWORKS"
        ),
    }
)

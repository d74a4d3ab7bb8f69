"""The settings: `PEYK_*` in the environment, over `.env`, over `peyk.toml`.

Each field's docstring is its manual; docs/CONFIGURATION.md says the same with examples.
"""

import stat
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from uploader.errors import ConfigError
from uploader.template import CAPTION_UNITS, Template

PREFIX = "PEYK_"

#: What to do about a missing or unusable value; shown behind the key's name.
_FIXES = {
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
    "secret_key": "32 characters or more, such as `openssl rand -hex 32` makes; empty: a file in DATA_DIR",
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
    "upload_window": "a number from 1 to 16",
    "allow_networks": "networks that links may reach besides the internet, such as 127.0.0.0/8,10.1.0.0/16",
    "closed_ports": "ports from 1 to 65535, separated by commas, that links never reach in ALLOW_NETWORKS",
}

Network = IPv4Network | IPv6Network
Port = Annotated[int, Field(ge=1, le=65_535)]

#: A database's address may leave it out.
_POSTGRESQL_PORT: Final = 5432


class ControlAddress(BaseSettings):
    """Where the engine of this folder listens: all that a dashboard needs to know."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", toml_file="peyk.toml", extra="ignore", frozen=True
    )

    data_dir: Path = Path("data")
    """Folder of the database and all other state; made with mode 0700."""

    control_socket: Path | None = None
    """Unix socket of the control API; unset: `control.sock` in the data folder."""

    @field_validator("control_socket", mode="before")
    @classmethod
    def _empty_socket_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over `.env` over `peyk.toml`."""
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, dotenv_settings, toml

    @property
    def socket_path(self) -> Path:
        """Where the control API listens."""
        return self.control_socket or self.data_dir / "control.sock"


class Config(ControlAddress):
    """Everything an operator decides. Immutable; read once, in `app`."""

    api_id: int = Field(gt=0)
    """The application's id at Telegram."""

    api_hash: SecretStr = Field(min_length=1)
    """The application's hash at Telegram."""

    bot_token: SecretStr
    """The bot's token."""

    admins: Annotated[frozenset[int], NoDecode] = frozenset()
    """Numeric ids of the people who may steer the bot in chat."""

    sessions_dir: Path = Path("sessions")
    """Folder of the login to Telegram; made with mode 0700, its files 0600."""

    database_url: SecretStr = SecretStr("")
    """SQLite or PostgreSQL; empty: `peyk.db` in the data folder."""

    language: Literal["en", "fa"] = "en"
    """The language of people whose Telegram speaks neither English nor Persian."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"

    links_per_minute: int = Field(default=10, ge=0)
    """How fast one person may send links; 0: no limit."""

    files_per_day: int = Field(default=100, ge=0)
    gib_per_day: int = Field(default=100, ge=0)
    """What one person may have within a day; 0: no limit."""

    queue_jobs: int = Field(default=20_000, ge=0)
    """So many jobs may be queued before new links are refused for a while; 0: no limit."""

    secret_key: SecretStr = SecretStr("")
    """Seals the cookies in the database; empty: a random one in `secret.key` in the data folder."""

    work_dir: Path | None = None
    """Folder of what jobs must put together on disk; unset: `work` in the data folder. Engines that share a
    disk share this folder, too: then they share out its room."""

    work_gib: int = Field(default=0, ge=0)
    """What all jobs may have on disk at once; 0: what the disk has."""

    caption: str | None = Field(default=None, max_length=CAPTION_UNITS)
    """What stands under a delivered file; unset: title, duration and size of films and songs."""

    dc_id: int | None = Field(default=None, ge=1)
    dc_address: str | None = None
    dc_public_key: Path | None = Field(default=None, validate_default=True)
    """The data centre to talk to, all three together; unset: Telegram itself."""

    backup_key: SecretStr = SecretStr("")
    """The secret that backups are sealed with; keep it in another place than them."""

    allow_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """Networks that links may lead to besides the public internet."""

    closed_ports: Annotated[frozenset[Port], NoDecode] = frozenset()
    """Ports that no link leads to in these networks, besides those of `own_ports`."""

    proxy: SecretStr = SecretStr("")
    """The way to Telegram: `socks5://` or `http://`; empty: straight. Links are not fetched through it."""

    transport: Literal["abridged", "obfuscated"] = "abridged"
    """What the connections to Telegram look like to the network between."""

    upload_connections: int = Field(default=8, ge=1, le=64)
    """Connections that uploads begin with."""

    upload_connections_max: int = Field(default=16, ge=1, le=64)
    """Connections that uploads grow to while that makes them faster."""

    upload_window: int = Field(default=4, ge=1, le=16)
    """Parts of 512 KiB on their way on each connection."""

    @field_validator("admins", "allow_networks", "closed_ports", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value
        )

    @field_validator("work_dir", "dc_id", "dc_address", "dc_public_key", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any, info: ValidationInfo) -> Any:
        return None if value == "" else value

    @field_validator("bot_token")
    @classmethod
    def _token_has_an_id(cls, value: SecretStr) -> SecretStr:
        number, colon, secret = value.get_secret_value().partition(":")
        if not (colon and number.isascii() and number.isdigit() and secret):
            raise ValueError("is not a bot token")
        return value

    @field_validator("caption")
    @classmethod
    def _caption_can_be_filled(cls, value: str | None) -> str | None:
        Template(value or "")
        return value

    @field_validator("secret_key")
    @classmethod
    def _secret_is_long(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 32:
            raise ValueError("is too short")
        return value

    @field_validator("proxy")
    @classmethod
    def _proxy_can_be_used(cls, value: SecretStr) -> SecretStr:
        if url := value.get_secret_value():
            parts = urlsplit(url)
            if parts.scheme not in {"socks5", "socks4", "http"} or not parts.hostname or not parts.port:
                raise ValueError("is no address of a proxy")
        return value

    @field_validator("upload_connections_max")
    @classmethod
    def _connections_can_grow(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("upload_connections", value):
            raise ValueError("is less than PEYK_UPLOAD_CONNECTIONS")
        return value

    @field_validator("dc_address")
    @classmethod
    def _address_has_a_port(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(f"//{value}")
            if not parts.hostname or not parts.port:
                raise ValueError("has no host or no port")
        return value

    @field_validator("dc_public_key")
    @classmethod
    def _key_can_be_read_and_the_three_go_together(
        cls, value: Path | None, info: ValidationInfo
    ) -> Path | None:
        # a field that failed is absent from info.data and has been reported already
        given = [*(info.data[key] for key in ("dc_id", "dc_address") if key in info.data), value]
        if None in given and any(item is not None for item in given):
            raise ValueError("goes together with PEYK_DC_ID and PEYK_DC_ADDRESS: set all three or none")
        if value is not None and not value.is_file():
            raise ValueError("is not a file that can be read")
        return value

    @classmethod
    def load(cls) -> "Config":
        """Read the settings.

        Raises:
            ConfigError: with every problem, each naming its key and the fix.
        """
        try:
            return cls.model_validate({})
        except ValidationError as error:
            # a union reports each of its members: the first says enough
            first = {item["loc"][0]: item for item in reversed(error.errors(include_input=False))}
            raise ConfigError([_problem(item) for item in reversed(first.values())]) from None
        except (OSError, ValueError) as error:
            raise ConfigError([f"peyk.toml cannot be read: {error}"]) from None

    @property
    def bot_id(self) -> int:
        """The bot's own user id, which the token starts with."""
        return int(self.bot_token.get_secret_value().partition(":")[0])

    @property
    def secrets(self) -> list[str]:
        """What must never appear in a log, to the letter."""
        token = self.bot_token.get_secret_value()
        passwords = [urlsplit(url).password for url in (self.database, self.proxy.get_secret_value())]
        secrets = [token, token.partition(":")[2], self.api_hash.get_secret_value(), *passwords]
        secrets.append(self.backup_key.get_secret_value())
        secrets.append(self.secret_key.get_secret_value())
        return [secret for secret in secrets if secret]

    @property
    def database(self) -> str:
        """The database's URL, with its password."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'peyk.db'}"

    @property
    def dc_host_port(self) -> tuple[str, int] | None:
        """The data centre's address, or None for Telegram itself."""
        if self.dc_address is None:
            return None
        parts = urlsplit(f"//{self.dc_address}")
        return str(parts.hostname), int(parts.port or 0)

    @property
    def own_ports(self) -> frozenset[int]:
        """Ports of what the engine speaks to, and those that the operator closes: nothing for a link."""
        database, proxy = (urlsplit(url) for url in (self.database, self.proxy.get_secret_value()))
        postgresql = (database.port or _POSTGRESQL_PORT) if database.hostname else None
        centre = self.dc_host_port[1] if self.dc_host_port else None
        return self.closed_ports | {port for port in (postgresql, proxy.port, centre) if port}

    def make_folders(self) -> None:
        """Make the data and sessions folders, for the owner's eyes only.

        Raises:
            ConfigError: a folder cannot be made.
        """
        for key, folder in (("DATA_DIR", self.data_dir), ("SESSIONS_DIR", self.sessions_dir)):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=stat.S_IRWXU)
                folder.chmod(stat.S_IRWXU)
            except OSError as error:
                fix = "give a folder that this user may write"
                raise ConfigError([f"{PREFIX}{key}: {error.strerror}; {fix}"]) from None


def _problem(item: Any) -> str:
    field = str(item["loc"][0])
    what = "is missing" if item["type"] == "missing" else str(item["msg"]).removeprefix("Value error, ")
    fix = _FIXES.get(field)
    return f"{PREFIX}{field.upper()} {what}" + (f": {fix}" if fix else "")

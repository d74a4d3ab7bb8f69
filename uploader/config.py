"""The settings: `PEYK_*` in the environment, over `.env`, over `peyk.toml`.

Each field's docstring is its manual; docs/CONFIGURATION.md says the same with examples.
"""

import re
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
from uploader.limits import MIB
from uploader.remedies import FIXES
from uploader.template import CAPTION_UNITS, Template

PREFIX = "PEYK_"

_CHANNEL = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}|-100[0-9]{5,13}")

Network = IPv4Network | IPv6Network
Port = Annotated[int, Field(ge=1, le=65_535)]

#: A database's address may leave it out.
_POSTGRESQL_PORT: Final = 5432


class ControlAddress(BaseSettings):
    """Where the engine of this folder is: all that the programs beside it need to know."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", toml_file="peyk.toml", extra="ignore", frozen=True
    )

    data_dir: Path = Path("data")
    """Folder of the database and all other state; made with mode 0700."""

    control_socket: Path | None = None
    """Unix socket of the control API; unset: `control.sock` in the data folder."""

    media_canaries: str = ""
    """Links, separated by blanks, behind which a new yt-dlp must find films before it is used."""

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

    batch_files: int = Field(default=50, ge=1, le=500)
    """What one person may have waiting of messages with several links, text files of links and lists."""

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

    volume_mib: int = Field(default=2000, ge=1, le=2000)
    """The largest file in MiB that is sent in one message; larger ones go in volumes of this size."""

    storage_chat: str = ""
    """Where other accounts than the bot put files for it: a channel's @username or id."""

    carriers: SecretStr = SecretStr("")
    """Tokens of further bots that carry files, separated by commas."""

    upload_connections: int = Field(default=8, ge=1, le=64)
    """Connections that uploads begin with."""

    upload_connections_max: int = Field(default=16, ge=1, le=64)
    """Connections that uploads grow to while that makes them faster."""

    upload_window: int = Field(default=4, ge=1, le=16)
    """Parts of 512 KiB on their way on each connection."""

    host_connections: int = Field(default=8, ge=1, le=64)
    """Connections to one host that files are fetched over, over all jobs."""

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

    @field_validator("storage_chat")
    @classmethod
    def _chat_is_a_channel(cls, value: str) -> str:
        if value and not _CHANNEL.fullmatch(value):
            raise ValueError("is no channel")
        return value

    @field_validator("carriers")
    @classmethod
    def _carriers_are_tokens(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if value.get_secret_value() and not info.data.get("storage_chat"):
            raise ValueError("goes together with PEYK_STORAGE_CHAT")
        for token in _tokens(value):
            cls._token_has_an_id(SecretStr(token))
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
    def carrier_bots(self) -> "list[Config]":
        """The settings as each of the further bots has them."""
        return [self.model_copy(update={"bot_token": SecretStr(token)}) for token in _tokens(self.carriers)]

    @property
    def volume_bytes(self) -> int:
        """What an account without Premium may send in one message."""
        return self.volume_mib * MIB

    @property
    def secrets(self) -> list[str]:
        """What must never appear in a log, to the letter."""
        token = self.bot_token.get_secret_value()
        passwords = [urlsplit(url).password for url in (self.database, self.proxy.get_secret_value())]
        tokens = [token, *_tokens(self.carriers)]
        halves = [each.partition(":")[2] for each in tokens]
        keys = (key.get_secret_value() for key in (self.api_hash, self.backup_key, self.secret_key))
        secrets = [*tokens, *halves, *keys, *passwords]
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
    def secret_path(self) -> Path:
        """Where the engine keeps the secret that it makes when `secret_key` is empty."""
        return self.data_dir / "secret.key"

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


def _tokens(value: SecretStr) -> list[str]:
    return [token.strip() for token in value.get_secret_value().split(",") if token.strip()]


def _problem(item: Any) -> str:
    field = str(item["loc"][0])
    what = "is missing" if item["type"] == "missing" else str(item["msg"]).removeprefix("Value error, ")
    fix = FIXES.get(field)
    return f"{PREFIX}{field.upper()} {what}" + (f": {fix}" if fix else "")

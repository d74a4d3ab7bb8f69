"""The settings: precedence, problems reported together, secrets that stay hidden."""

import os
from ipaddress import ip_network
from pathlib import Path

import pytest

from uploader.config import Config
from uploader.errors import ConfigError

TOKEN = "123456789:AAEabcdefghijklmnopqrstuvwxyz0123456"
GOOD = {"PEYK_API_ID": "12345", "PEYK_API_HASH": "0123456789abcdef", "PEYK_BOT_TOKEN": TOKEN}


@pytest.fixture(autouse=True)
def empty_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine's reaches a test."""
    for key in list(os.environ):
        if key.startswith("PEYK_"):
            monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)


def give(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for key, value in {**GOOD, **{f"PEYK_{key.upper()}": value for key, value in values.items()}}.items():
        monkeypatch.setenv(key, value)


def problems() -> list[str]:
    with pytest.raises(ConfigError) as refused:
        Config.load()
    return refused.value.problems


def test_config_when_nothing_is_set_names_every_missing_key_and_its_fix() -> None:
    """A newcomer sees all that is needed in one go."""
    missing = problems()
    assert ["PEYK_API_ID", "PEYK_API_HASH", "PEYK_BOT_TOKEN"] == [line.split()[0] for line in missing]
    assert "my.telegram.org" in missing[0]
    assert "@BotFather" in missing[2]


def test_config_when_several_values_are_wrong_reports_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """One run of `check` is enough to repair everything; each key is named once."""
    give(
        monkeypatch,
        api_id="zero",
        bot_token="nonsense",
        admins="1,anna",
        language="de",
        log_level="LOUD",
        dc_id="0",
        dc_address="nowhere",
        allow_networks="127.0.0.0/8,home",
        closed_ports="0",
        proxy="ftp://host:1",
        transport="pigeon",
        upload_connections="9",
        upload_connections_max="8",
        upload_window="0",
        caption="{titel}",
    )
    assert [
        "PEYK_API_ID",
        "PEYK_BOT_TOKEN",
        "PEYK_ADMINS",
        "PEYK_LANGUAGE",
        "PEYK_LOG_LEVEL",
        "PEYK_CAPTION",
        "PEYK_DC_ID",
        "PEYK_DC_ADDRESS",
        "PEYK_ALLOW_NETWORKS",
        "PEYK_CLOSED_PORTS",
        "PEYK_PROXY",
        "PEYK_TRANSPORT",
        "PEYK_UPLOAD_CONNECTIONS_MAX",
        "PEYK_UPLOAD_WINDOW",
    ] == [line.split()[0] for line in problems()]


def test_config_when_read_takes_environment_over_dotenv_over_toml(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearer source wins, key by key."""
    Path("peyk.toml").write_text('api_id = 1\nlanguage = "fa"\nlog_level = "ERROR"\n')
    Path(".env").write_text("PEYK_API_ID=2\nPEYK_LANGUAGE=en\n")
    monkeypatch.setenv("PEYK_API_ID", "3")
    monkeypatch.setenv("PEYK_API_HASH", "h")
    monkeypatch.setenv("PEYK_BOT_TOKEN", TOKEN)
    config = Config.load()
    assert (3, "en", "ERROR") == (config.api_id, config.language, config.log_level)


def test_config_when_lists_are_given_splits_them_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Admins and networks are lists in one line."""
    give(monkeypatch, admins="11, 22,", allow_networks="127.0.0.0/8, ::1/128")
    config = Config.load()
    assert frozenset({11, 22}) == config.admins
    assert (ip_network("127.0.0.0/8"), ip_network("::1/128")) == config.allow_networks


def test_config_when_it_names_services_keeps_links_away_from_their_ports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database, the data centre and the proxy, by their usual ports too, and what the operator closes."""
    Path("key.pem").write_text("a key")
    give(
        monkeypatch,
        database_url="postgresql://peyk@localhost/peyk",
        proxy="socks5://localhost:1080",
        closed_ports="8080, 9090",
        dc_id="2",
        dc_address="127.0.0.1:4430",
        dc_public_key="key.pem",
    )
    assert frozenset({5432, 1080, 8080, 9090, 4430}) == Config.load().own_ports


def test_config_when_shown_hides_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither repr nor str gives a secret away."""
    give(
        monkeypatch,
        database_url="postgresql://peyk:hunter2secret@db/peyk",
        proxy="socks5://me:proxysecret@proxy:1080",
    )
    config = Config.load()
    shown = repr(config) + str(config)
    for secret in (TOKEN, TOKEN.partition(":")[2], "0123456789abcdef", "hunter2secret", "proxysecret"):
        assert secret not in shown
    expected = {TOKEN, TOKEN.partition(":")[2], "0123456789abcdef", "hunter2secret", "proxysecret"}
    assert expected == set(config.secrets)


def test_config_when_a_problem_is_reported_hides_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped token is a secret too."""
    give(monkeypatch, bot_token="123456789-AAEalmostright")
    assert "AAEalmostright" not in "".join(problems())


def test_config_when_only_part_of_a_data_centre_is_given_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Number, address and key are of no use without each other."""
    give(monkeypatch, dc_id="2", dc_address="127.0.0.1:4430")
    assert ["PEYK_DC_PUBLIC_KEY"] == [line.split()[0] for line in problems()]


def test_config_when_folders_are_made_keeps_others_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Data and sessions are for the owner alone, also where the folders existed before."""
    (tmp_path / "data").mkdir(mode=0o755)
    give(monkeypatch)
    Config.load().make_folders()
    assert [0o700, 0o700] == [(tmp_path / name).stat().st_mode & 0o777 for name in ("data", "sessions")]


def test_config_when_read_knows_the_bot_and_the_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows from the settings without being one."""
    give(monkeypatch, data_dir="state")
    config = Config.load()
    assert (123456789, Path("state/control.sock"), "sqlite:///state/peyk.db", None) == (
        config.bot_id,
        config.socket_path,
        config.database,
        config.dc_host_port,
    )


def test_example_when_compared_documents_every_key() -> None:
    """`.env.example` and docs/CONFIGURATION.md name each setting, and no setting that is none."""
    house = Path(__file__).parents[1]
    keys = {f"PEYK_{name.upper()}" for name in Config.model_fields}
    example = (house / ".env.example").read_text()
    manual = (house / "docs/CONFIGURATION.md").read_text()
    assert keys == {line.lstrip("#").partition("=")[0] for line in example.splitlines() if "PEYK_" in line}
    assert set() == {key for key in keys if f"`{key}`" not in manual}

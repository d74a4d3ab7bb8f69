"""`run.py status`: the snapshot in lines."""

from tests.tui.stage import busy, idle, transfer
from tui.report import lines
from uploader.snapshot import SiteRow, TelegramRow


def test_report_when_the_engine_works_says_what_runs_and_what_locks_brought() -> None:
    """One line for the engine, one for the counts, then transfers and sponsors."""
    report = list(lines(busy()))
    assert "@peyk_bot serving, up 3 h 12 min" == report[0]
    assert (
        "4 running, 2 queued, 1 waiting for a choice, 2 for sponsors; 1284 delivered, 17 failed, 5 cancelled"
    ) == report[1]
    assert (
        "  #1307 debian-12.8.0-amd64-DVD-1.iso  uploading  62 %  1.21 GiB  38.4 MiB/s  19 s left" == report[2]
    )
    assert "  sponsor @daily_tech: 412 asked, 318 joined" == report[6]


def test_report_when_a_name_is_hostile_stays_one_line() -> None:
    """A status line goes to logs and mails: no control characters."""
    report = list(lines(idle(transfers=(transfer(1, name="a\x1b[31m\nb"),))))
    assert "  #1 a [31m b  uploading  50 %  50 MiB  10 MiB/s  5 s left" == report[2]


def test_report_when_telegram_wants_no_parts_says_for_how_long() -> None:
    """A transfer that stands still is not broken."""
    report = list(lines(idle(transfers=(transfer(1, parked_s=75.0, speed_bytes_s=0.0, eta_s=None),))))
    assert "  #1 file-1.bin  uploading  50 %  50 MiB  waiting for Telegram, 1 min 15 s" == report[2]


def test_report_when_idle_or_switched_says_so() -> None:
    """Stopping beats maintenance."""
    assert next(lines(idle(maintenance=True))).startswith("@peyk_bot maintenance, ")
    assert next(lines(idle(maintenance=True, stopping=True))).startswith("@peyk_bot stopping, ")


def test_report_when_sites_rest_names_them() -> None:
    """And says for how long."""
    report = list(lines(idle(resting=(SiteRow(site="a.example", wait_s=45.0),))))
    assert "  site a.example rests after failures, 45 s more" == report[-1]


def test_report_when_in_trouble_says_what_it_is() -> None:
    """Right under what it is called, so that nobody reads "serving" alone."""
    report = list(lines(idle(troubles=("writes to the database have failed for 20 s",))))
    assert "TROUBLE: writes to the database have failed for 20 s" == report[1]


def test_report_when_in_trouble_does_not_call_that_serving() -> None:
    """Who reads only the first line learns it, too."""
    first = next(lines(idle(troubles=("Telegram has not answered for 75 s",))))
    assert first.startswith("@peyk_bot in trouble, ")


def test_report_when_the_machines_clock_is_wrong_says_how_far() -> None:
    """Ahead or behind; the engine serves all the same."""
    behind = list(lines(idle(telegram=TelegramRow(machine_ahead_s=-40.0))))
    assert behind[0].startswith("@peyk_bot serving, ")
    assert "the machine's clock is 40 s behind: set it, by NTP say" == behind[1]
    ahead = list(lines(idle(telegram=TelegramRow(machine_ahead_s=3600.0))))
    assert ahead[1].startswith("the machine's clock is 1 h")
    assert ahead[1].endswith("ahead: set it, by NTP say")

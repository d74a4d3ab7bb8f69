"""Every bound of the engine that is no rule of Telegram's own (those stand in `transfer.parts`)."""

from typing import Final

MIB: Final = 1024 * 1024

#: A worker renews its lease this often, and loses it after LEASE_S without renewal.
HEARTBEAT_S: Final = 3.0
LEASE_S: Final = 15.0

#: Jobs of one person that run at once. How many of all people do is said by `machine`.
RUNNING_JOBS_PER_PERSON: Final = 2

#: A source is slow that brought less than this a second, over at least ASIDE_S in which it was waited for:
#: its job steps aside when others wait, and so does any that has run for SWIFT_S.
SWIFT_BYTES_S: Final = 256 * 1024
ASIDE_S: Final = 0.5
SWIFT_S: Final = 60.0

#: Only if there is no room aside either, a slow job that has run for HELD_S, or any that has for HELD_LONG_S,
#: goes back into the queue: for GIVEN_WAY_S, then twice that ... at most GIVEN_WAY_LONGEST_S.
HELD_S: Final = 5.0
HELD_LONG_S: Final = 600.0
GIVEN_WAY_S: Final = 10.0
GIVEN_WAY_LONGEST_S: Final = 600.0

#: A child that looks at a slow link gives way after SEAT_S to those that wait, which they do for SEAT_WAIT_S.
SEAT_S: Final = 20.0
SEAT_WAIT_S: Final = 120.0

#: A file may keep us waiting for SLOW_S in all, and a second more for each SLOW_BYTES_S that it brings; a
#: single wait counts up to SILENCE_S.
SLOW_S: Final = 3600.0
SLOW_BYTES_S: Final = 16 * 1024
SILENCE_S: Final = 120.0

#: Films that are joined or cut at once in one process. Other jobs fetch and upload meanwhile.
JOINING_JOBS: Final = 2

#: Jobs of one person that may wait (for sponsors or in the queue).
WAITING_JOBS_PER_PERSON: Final = 10

#: So many messages and pressed buttons of a person are heard within PACE_S; of links as many as the operator
#: grants.
PACE_S: Final = 60.0
CALLS_PER_PACE: Final = 30

#: Who makes COOL_DOWN_CALLS more although told to wait has half as many calls from then on, a quarter, ...,
#: and the next wait is COOL_DOWN_S, twice that, ... at most LONGEST_COOL_DOWN_S; forgotten as long after a
#: wait, or once one was kept.
COOL_DOWN_CALLS: Final = 10
COOL_DOWN_S: Final = 120.0
LONGEST_COOL_DOWN_S: Final = 3600.0

#: People whose pace is remembered; whoever falls out was silent for long.
PACED_PEOPLE: Final = 50_000

#: A day of the limits per day, and the rows of it that are looked at.
DAY_S: Final = 24 * 3600.0
DAY_ROWS: Final = 1000

#: The other jobs of a person go behind those of others that come up to this much later, each one more: people
#: take turns, and yet everything that waits comes to the front with time.
TURN_S: Final = 300.0

#: How often people who wait are told anew how many jobs are before theirs: of the first so many in the queue,
#: so many in each look.
LINE_S: Final = 30.0
LINE: Final = 5000
LINE_AT_ONCE: Final = 20

#: How long what all ask for is good for: the pace of the queue, the sponsors. So many jobs tell the pace.
LATELY_S: Final = 1.0
OUTLOOK_JOBS: Final = 50

#: Attempts of one job, counting the first, and the wait before the next: 5 s, 20 s, 80 s ... What Telegram or
#: the database does not take just now is tried for longer than a site that does not give, or a bug of ours.
ATTEMPTS: Final = 5
PATIENT_ATTEMPTS: Final = 8
RETRY_FIRST_S: Final = 5.0
RETRY_FACTOR: Final = 4.0
RETRY_LONGEST_S: Final = 600.0

#: Jobs that failed together are not tried again together: each waits up to this part of it less or more.
RETRY_JITTER: Final = 0.25

#: After so long in the queue, attempts and their waits included, a job has failed.
PROMISE_S: Final = 24 * 3600.0

#: So long a person may have a failed job tried again, and admins see it among the failed.
FAILED_S: Final = 24 * 3600.0

#: A job that waits for sponsors is kept this long.
WAITING_SPONSORS_S: Final = 24 * 3600.0

#: A job whose person was asked which format, or which files, they want is kept this long.
WAITING_CHOICE_S: Final = 6 * 3600.0

#: A question that could not be shown (the engine died, or Telegram did not answer) is shown again after this;
#: so many in one round.
CARD_S: Final = 15.0
CARDS_AT_ONCE: Final = 20

#: How a job ended is told at once. If it was not within this (the engine died, or Telegram did not answer), a
#: look at the rows tells it, so many at once, again and again until it was told; no longer than the last.
OWED_S: Final = 15.0
OWED_AT_ONCE: Final = 20
OWED_KEPT_S: Final = 24 * 3600.0

#: What a link offers is asked of its site for one person; others who send it meanwhile are offered the same.
OFFER_FRESH_S: Final = 300.0
OFFERS_KEPT: Final = 1000

#: Jobs that one look at the deadlines ends: their people are told before the next.
EXPIRED_AT_ONCE: Final = 100

#: Jobs that ended are kept this long: longer than any button of theirs works, and any count looks back. They
#: are deleted a few at a time, so that no claim waits for it.
ENDED_KEPT_S: Final = 30 * DAY_S
PRUNED_AT_ONCE: Final = 500

#: What is only found by looking is looked for this often.
WATCH_S: Final = 10.0

#: People waiting for sponsors who are looked at again, in turn, in case an update was lost.
WATCHED_PEOPLE: Final = 1000

#: A job whose account was logged out is tried again this often, for as long as it takes.
ACCOUNT_REST_S: Final = 60.0

#: A site that failed so often in a row within the window, by its own fault, is not asked for SITE_REST_S.
#: Then one job tries it, and others that come meanwhile look again after SITE_PROBE_REST_S.
SITE_FAILURES: Final = 5
SITE_WINDOW_S: Final = 60.0
SITE_REST_S: Final = 60.0
SITE_PROBE_REST_S: Final = 10.0

#: A site that takes us for a robot, or limits us by its own word, is let rest for this long.
ROBOT_REST_S: Final = 900.0
LIMITED_REST_S: Final = 1800.0
#: The longest that a site may rest by its own wish.
SITE_LONGEST_REST_S: Final = 3600.0
#: Sites whose failures are remembered.
FAILING_SITES: Final = 1000

#: Cookies of the operator that one attempt tries; those that a site rejected for so many links in a row, with
#: no success between, are used no more until an admin says so; and how many there may be.
COOKIE_TRIES: Final = 3
COOKIE_REJECTIONS: Final = 3
COOKIE_JARS: Final = 1000

#: Versions of yt-dlp that are kept to fall back to, and the extractions in a row that broke before we do.
MEDIA_VERSIONS: Final = 3
MEDIA_FAILURES: Final = 10

#: A job for which the disk has no room while others hold it looks again this often; one that met a machine
#: without a free descriptor, or memory, does so a little later.
DISK_REST_S: Final = 30.0
SCARCE_REST_S: Final = 10.0

#: Parts of one file that Telegram may have lost and get again when the message is sent; more: all, later.
PARTS_SENT_AGAIN: Final = 8

#: Parts that Telegram acknowledged are kept by it "from several minutes to several hours".
#: https://core.telegram.org/api/files
CHECKPOINT_S: Final = 1800.0

#: A file that was delivered is given to others who send the same link: unasked at first (a film for longer:
#: its link names it for good), then if the site still has the same, and no longer than a day. Rows beyond the
#: last number go, the oldest first.
FILE_FRESH_S: Final = 300.0
FILM_FRESH_S: Final = 3600.0
FILE_KEPT_S: Final = 24 * 3600.0
FILES_KEPT: Final = 50_000

#: Messages that come this late, because nobody heard them before, are not answered any more.
MISSED_S: Final = 24 * 3600.0

#: People whose files wait are told when the bot was away for at least this long; so many people at most.
AWAY_S: Final = 300.0
AWAY_PEOPLE: Final = 1000

#: Messages that one file may come in. Their names and digests fit into one message.
VOLUMES: Final = 20

#: A carrier that failed is tried again after this.
CARRIER_REST_S: Final = 300.0

#: A job waits for Telegram's leave to go on for so long; for longer ones it goes back into the queue, unless
#: another account takes its file. What was kept of a wait longer than the second is not believed.
PARKED_S: Final = 60.0
PARKED_LONGEST_S: Final = 7 * DAY_S

#: Telegram is asked this often for a sign of life. After a silence of the second the connection is made anew,
#: after one of the third operators are told.
TELEGRAM_ASKED_S: Final = 10.0
TELEGRAM_SILENT_S: Final = 30.0
TELEGRAM_AWAY_S: Final = 60.0

#: Logins that may end within the window, each followed by another, after a wait of 1 s, 2 s, 4 s ... at most
#: the longest; beyond, somebody must look why they end.
RENEWALS: Final = 3
RENEWALS_WINDOW_S: Final = 3600.0
RENEWAL_LONGEST_S: Final = 60.0

#: How long running transfers may go on after a stop was asked for.
STOP_DEADLINE_S: Final = 20.0

#: ... and how long each of them, or whatever else is to be written down then, may wait for the database.
LAST_WRITE_S: Final = 2.0

#: A start that was told to stop is told so again after this, should it go on.
GIVE_UP_S: Final = 4.0

#: The largest text file whose links are looked at.
TEXT_FILE_BYTES: Final = 256 * 1024

#: The longest link that is looked at: a whole message. Signed links have up to about 4,000 characters.
LINK_CHARACTERS: Final = 4096


def given_way_s(attempt: int) -> float:
    """Seconds for which a job rests that gave its place up in attempt number `attempt`."""
    return min(GIVEN_WAY_LONGEST_S, GIVEN_WAY_S * 2.0 ** min(attempt - 1, 30))


def retry_wait_s(attempt: int, chance: float = 0.5) -> float:
    """Seconds to wait after attempt number `attempt` (1 = the first) failed; `chance` is one from 0 to 1."""
    wait_s: float = min(RETRY_LONGEST_S, RETRY_FIRST_S * RETRY_FACTOR ** (attempt - 1))
    return wait_s * (1 + RETRY_JITTER * (2 * chance - 1))

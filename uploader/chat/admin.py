"""The conversation with an admin: what is going on, and the maintenance switch."""

import structlog

from uploader.chat.progress import StatusMessages
from uploader.chat.status_words import reason_text
from uploader.intake import Incoming
from uploader.model import JobState, Person
from uploader.storage.failures import Failures
from uploader.storage.jobs import Jobs
from uploader.storage.settings import Settings
from uploader.telegram.gateway import Gateway
from uploader.texts import Texts

_log = structlog.get_logger(__name__)


class AdminChat:
    """Commands that only admins have."""

    def __init__(
        self,
        gateway: Gateway,
        jobs: Jobs,
        failures: Failures,
        settings: Settings,
        status: StatusMessages,
        texts: Texts,
    ) -> None:
        self._gateway = gateway
        self._jobs = jobs
        self._failures = failures
        self._settings = settings
        self._status = status
        self._texts = texts

    async def help(self, incoming: Incoming) -> None:
        """The admins' part of `/help`."""
        await self._say(incoming.person, self._texts.get(incoming.person.language, "help-admin"))

    async def status(self, incoming: Incoming) -> None:
        """`/status`"""
        language, counts = incoming.person.language, await self._jobs.counts()
        lines = [
            self._texts.get(
                language,
                "status",
                running=counts[JobState.RUNNING],
                queued=counts[JobState.QUEUED],
                choosing=counts[JobState.WAITING_CHOICE],
                waiting=counts[JobState.WAITING_SPONSORS],
                done=counts[JobState.DONE],
                failed=counts[JobState.FAILED],
                cancelled=counts[JobState.CANCELLED],
                maintenance=int(await self._settings.maintenance()),
            )
        ]
        for progress, speed_bytes_s in self._status.running():
            total_bytes = progress.total_bytes or 0
            lines.append(
                self._texts.get(
                    language,
                    "status-transfer" if speed_bytes_s > 0 else "status-transfer-begun",
                    name=progress.name or "…",
                    percent=self._texts.percent(language, progress.done_bytes, total_bytes)
                    if total_bytes
                    else "…",
                    speed=self._texts.size(language, speed_bytes_s),
                )
            )
        await self._say(incoming.person, "\n".join(lines))

    async def failed(self, incoming: Incoming) -> None:
        """`/failed`"""
        language = incoming.person.language
        lines = [
            self._texts.get(
                language,
                "failed-line",
                count=group.count,
                reason=reason_text(self._texts, language, group.reason, group.last_job_id),
                hosts=", ".join(group.hosts),
                job=group.last_job_id,
            )
            for group in await self._failures.groups()
        ]
        await self._say(incoming.person, "\n\n".join(lines) or self._texts.get(language, "failed-none"))

    async def maintenance(self, incoming: Incoming) -> None:
        """`/maintenance [on|off]`"""
        person = incoming.person
        wish = incoming.text.partition(" ")[2].strip().lower()
        if wish not in ("on", "off"):
            on = await self._settings.maintenance()
            await self._say(person, self._texts.get(person.language, "maintenance-usage", on=int(on)))
            return
        await self._settings.set_maintenance(wish == "on")
        _log.info("maintenance switched", to=wish, by=person.user_id)
        await self._say(person, self._texts.get(person.language, f"maintenance-{wish}"))

    async def _say(self, person: Person, text: str) -> None:
        await self._gateway.say(person, text)

"""What admins are told without having asked: what can no longer do what it did."""

from collections.abc import Callable, Iterable

from uploader.errors import Reason
from uploader.model import Sponsor
from uploader.names import one_line
from uploader.quoting import Said
from uploader.storage.people import People
from uploader.supervision import FaultBarrier
from uploader.telegram.gateway import Gateway
from uploader.texts import Texts


class Alerts:
    """Writes to those admins who have written to the bot before."""

    def __init__(self, gateway: Gateway, people: People, texts: Texts, admins: Iterable[int]) -> None:
        self._gateway = gateway
        self._people = people
        self._texts = texts
        self._admins = tuple(admins)
        self._barrier = FaultBarrier("telling admins")

    async def carrier_rests(self, name: str, cause: str, wait_s: float) -> None:
        """An account carries no files for `wait_s` seconds; 0: only none above the cap."""

        def text(language: str) -> str:
            if wait_s > 0:
                wait = self._texts.duration(language, wait_s)
                return self._texts.get(language, "alert-carrier", name=name, wait=wait, cause=cause)
            cap = self._texts.cap(language)
            return self._texts.get(language, "alert-premium", name=name, cap=cap, cause=cause)

        await self._tell(text)

    async def carrier_is_missing(self, name: str, cause: str) -> None:
        """An account could not be taken up at the start."""
        await self._tell(lambda language: self._texts.get(language, "alert-missing", name=name, cause=cause))

    async def media_fell_back(self, left: str, used: str | None) -> None:
        """A version of yt-dlp broke too often and was left for `used`; None: Peyk's own."""
        await self._tell(
            lambda language: self._texts.get(
                language, "alert-media", left=left, used=used or "", own=int(used is None)
            )
        )

    async def site_in_trouble(self, site: str, reason: Reason) -> None:
        """A site takes us for a robot (ROBOT), or wants something that is missing here (SET_UP)."""
        await self._tell(lambda language: self._texts.get(language, f"alert-{reason.value}", site=site))

    async def lock_changed(self, sponsor: Sponsor) -> None:
        """A sponsor's lock opened, or works anew."""

        def text(language: str) -> str:
            title = one_line(sponsor.title)
            if sponsor.broken is None:
                return self._texts.get(language, "alert-lock-works", title=title)
            name = f"@{sponsor.username}" if sponsor.username else str(sponsor.channel_id)
            cause = Said(sponsor.broken)
            return self._texts.get(language, "alert-lock-open", title=title, name=name, cause=cause)

        await self._tell(text)

    async def _tell(self, text: Callable[[str], str]) -> None:
        for user_id in self._admins:
            with self._barrier:
                person = await self._people.get(user_id)
                if person is not None:
                    await self._gateway.say(person, text(person.language))

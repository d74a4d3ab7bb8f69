"""The conversation with an admin about sites: `/sites`."""

from collections.abc import Callable, Sequence

from uploader import limits
from uploader.intake import Incoming
from uploader.sources import Resting
from uploader.telegram.gateway import Gateway
from uploader.texts import Texts


class SiteAdminChat:
    """Shows how sites fare. `resting` gives those that are not asked for now."""

    def __init__(self, gateway: Gateway, resting: Callable[[], Sequence[Resting]], texts: Texts) -> None:
        self._gateway = gateway
        self._resting = resting
        self._texts = texts

    async def sites(self, incoming: Incoming) -> None:
        """`/sites`"""
        get, language = self._texts.get, incoming.person.language
        lines = [
            get(
                language,
                "sites-line" if each.wait_s else "sites-trying",
                site=each.site,
                count=limits.SITE_FAILURES,
                wait=self._texts.duration(language, each.wait_s),
            )
            for each in self._resting()
        ]
        await self._gateway.say(incoming.person, "\n".join(lines) or get(language, "sites-none"))

"""Until when Telegram wants no parts from an account: obeyed by the next process, too."""

from uploader.storage.database import Database
from uploader.storage.settings import Settings


class Parkings:
    """One row for each account that was ever asked to wait for long. See `transfer.carriers.Parkings`."""

    def __init__(self, database: Database) -> None:
        self._settings = Settings(database)

    async def until(self, account: str) -> float:
        """Return until when (epoch seconds); 0.0: it was never asked to wait."""
        until = await self._settings.get(f"parked-{account}")
        return until if isinstance(until, float) else 0.0

    async def note(self, account: str, until: float) -> None:
        """Remember that the account was asked to wait until then."""
        await self._settings.set(f"parked-{account}", until)

"""The operator's cookies: sealed in the database, opened for the jobs of their site alone."""

import base64
import hashlib
import os
import time
from pathlib import Path
from typing import Final

import structlog
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from uploader import limits
from uploader.model import Link
from uploader.sources.cookies import FILE_BYTES, CookieFile, CookiesRefused, Jar, is_of, read, site_of
from uploader.storage.cookies import Cookies, SealedCookies

_KEY_BYTES: Final = 32
_FILES_AT_ONCE: Final = 20

_log = structlog.get_logger(__name__)


class CookieJars:
    """A pool of cookies, see `sources.cookies.CookiePool`."""

    def __init__(self, cookies: Cookies, secret: bytes, folder: Path) -> None:
        """`secret` seals: whoever has it and the database has the cookies. `folder`: see `take_in`."""
        key = HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"peyk cookies").derive(secret)
        self._seal = Fernet(base64.urlsafe_b64encode(key))
        self._cookies = cookies
        self._folder = folder

    async def add(self, content: bytes, site: str = "") -> tuple[int, CookieFile]:
        """Keep a file of cookies; returns its number, and what was read.

        Raises:
            CookiesRefused: it cannot be used.
        """
        file = read(content, site_of(site) if site else "", now=time.time())
        number = await self._cookies.add(file.site, file.count, self._seal.encrypt(file.text.encode()))
        _log.info("cookies added", number=number, site=file.site, count=file.count)
        return number, file

    async def choose(self, link: Link, family: str) -> list[Jar]:
        """See `CookiePool`. Those that another key sealed are left out."""
        fitting = [each for each in await self._cookies.all() if _fits(each, link, family)]
        opened = [self._opened(each) for each in fitting]
        return [jar for jar in opened if jar is not None][: limits.COOKIE_TRIES]

    async def worked(self, jar: Jar) -> None:
        """See `CookiePool`."""
        await self._cookies.worked(jar.id)

    async def rejected(self, jar: Jar, link: Link) -> None:
        """See `CookiePool`. One link can be for others alone; several cannot."""
        _log.warning("cookies rejected", number=jar.id, host=link.host)
        await self._cookies.rejected(jar.id, hashlib.sha256(link.url.encode()).hexdigest())

    async def take_in(self) -> None:
        """Keep the files `SITE.txt` that were put into the folder, and delete them there.

        One that cannot be used becomes `SITE.txt.refused`.
        """
        for path in sorted(self._folder.glob("*.txt"))[:_FILES_AT_ONCE]:
            if path.is_symlink() or not path.is_file():
                continue
            try:
                with path.open("rb") as file:
                    content = file.read(FILE_BYTES + 1)
                await self.add(content, path.stem)
                path.unlink()
            except CookiesRefused as error:
                _log.warning("cookies refused", file=path.name, why=error.why)
                path.replace(path.with_name(f"{path.name}.refused"))
            except OSError as error:
                _log.warning("cookies not read", file=path.name, cause=error.strerror)

    def _opened(self, cookies: SealedCookies) -> Jar | None:
        try:
            return Jar(id=cookies.id, text=self._seal.decrypt(cookies.sealed).decode())
        except InvalidToken:
            _log.error("cookies sealed by another key: see PEYK_SECRET_KEY", number=cookies.id)
            return None


def secret_at(path: Path) -> bytes:
    """The secret in the file at `path`, made (0600) if it is not there. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(_KEY_BYTES))
    return path.read_bytes()


def _fits(cookies: SealedCookies, link: Link, family: str) -> bool:
    """Whether cookies may open a link: of their site, or of one that yt-dlp calls the same (`youtu.be`)."""
    same = bool(family) and family == cookies.site.partition(".")[0]
    return not cookies.quarantined and (same or is_of(link.host, cookies.site))

"""Hostile links and documents, through each of the ways that bytes come in: no way leads inside.

What counts is seen at a trap that listens on every address of this machine. A control shows for each document
that it does lead there, were it not for the guard.
"""

import asyncio
import re
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from tests.sources.attacks import INSIDE, LOOKALIKES, NO_LINKS
from tests.sources.decoys import IDLE, KINDS, LEADING
from tests.sources.films import web
from tests.sources.sites import HASTY, Answer, Asked, Names, Site, head, in_turn, reply, site, sources
from tests.sources.test_process import allows_namespaces
from tests.sources.traps import Trap, trap
from uploader.errors import NotALink, Reason, SourceError
from uploader.limits import MIB
from uploader.links import parse
from uploader.sources.exchange import REDIRECTS
from uploader.sources.guard import Guard
from uploader.sources.media import process
from uploader.sources.media.ffmpeg import program as ffmpeg_program
from uploader.sources.media.join import join
from uploader.sources.media.process import Cell, Cells, Child
from uploader.sources.media.recipes import Recipe
from uploader.sources.media.render import arguments
from uploader.sources.proxy import Pass, Proxy

OPEN = "127.0.0.9"
START = Path(process.__file__).with_name("start.py")
LEADING_INSIDE = [*INSIDE, *LOOKALIKES]
HOSTILE = [*LEADING_INSIDE, *NO_LINKS]
#: How a document may call the place that it points to.
PLACES = [
    "127.0.0.2:{port}",
    "2130706434:{port}",
    "0x7f.2:{port}",
    "localhost:{port}",
    "inside.example:{port}",
    "[::1]:{port}",
    "[::ffff:127.0.0.2]:{port}",
    "127.0.0.2.:{port}",
]


def names() -> Names:
    """A hostile DNS: all names lie inside, one of them after a good answer."""
    addresses: dict[str, list[list[str]]] = defaultdict(lambda: [["127.0.0.2", "::1"]])
    addresses["rebind.example"] = [[OPEN], ["127.0.0.2"]]
    return Names(addresses)


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    """Room for all that the children of a test do."""
    folder = tmp_path / "job"
    folder.mkdir()
    return Cell(folder=folder, wall_s=120, cpu_s=100, memory_bytes=1024 * MIB, file_bytes=100 * MIB)


@dataclass(frozen=True)
class Visitor:
    """yt-dlp in its child, behind a proxy."""

    child: Child
    granted: Pass
    folder: Path

    @property
    def proxy(self) -> str:
        """Where it finds the proxy."""
        return self.granted.url(self.child.port)

    async def visit(self, link: str) -> dict[str, Any]:
        """Look at `link`, fetch all formats and subtitles that are found; what the child said last."""
        found = said = await self.told({"look": link, "proxy": self.proxy})
        if found["event"] == "found":
            said = await self.fetched(range(len(found["formats"])))
            for each in found["subtitles"]:
                path = str(self.folder / f"{each['language']}.part")
                said = await self.told({"subtitles": each["language"], "path": path, "cap_bytes": MIB})
        return said

    async def fetched(self, numbers: Iterable[int]) -> dict[str, Any]:
        """Fetch these formats of what was found last."""
        wanted = [{"format": number, "path": str(self.folder / f"{number}.part")} for number in numbers]
        return await self.told({"fetch": wanted, "cap_bytes": MIB})

    async def told(self, order: dict[str, Any]) -> dict[str, Any]:
        """What the child answers."""
        await self.child.say(order)
        while True:
            said: dict[str, Any] = await self.child.hear()
            if said["event"] not in {"progress", "warned"}:
                return said


@asynccontextmanager
async def visitor(cell: Cell, network: str, *, isolated: bool) -> AsyncIterator[Visitor]:
    """The child, with a guard that opens `network`; not `isolated`, it could reach the trap by itself."""
    program = (sys.executable, "-I", str(START), "child")
    async with (
        Proxy(Guard([ip_network(network)]), HASTY, names()) as proxy,
        Cells(isolated=isolated).start(program, cell, proxy) as child,
    ):
        with proxy.admit(size_bytes=100 * MIB, duration_s=120) as granted:
            yield Visitor(child, granted, cell.folder)


@asynccontextmanager
async def decoys(films: Path, places: list[str]) -> AsyncIterator[tuple[Site, Trap]]:
    """An open site with all documents, which point into the trap by one of `places` or another."""
    documents = {**LEADING, **IDLE}

    async def document(asked: Asked, writer: asyncio.StreamWriter) -> None:
        name, _, turn = asked.path.lstrip("/").partition("?")
        place = places[int(turn) % len(places)].format(port=caught.port)
        text = documents[name].format(inside=f"http://{place}/{name}", open=there.url(""))
        kind = KINDS[name.rpartition(".")[2]]
        writer.write(head(200, f"Content-Type: {kind}", f"Content-Length: {len(text)}") + text.encode())

    answers: dict[str, Answer] = {re.sub("[/.-]", "_", name): document for name in documents}
    async with trap() as caught, web(films, answers, OPEN) as there:
        yield there, caught


def test_table_of_hostile_links_is_long() -> None:
    """Two hundred ways at least, none of them twice."""
    assert len(set(HOSTILE)) == len(HOSTILE) >= 200


async def test_hostile_links_reach_nothing_by_the_direct_source() -> None:
    """All at once, where one address of loopback is open and every name lies inside."""
    refused = []
    async with trap() as caught, sources(f"{OPEN}/32", resolver=names()) as opener:

        async def refuse(raw: str) -> None:
            try:
                async with opener.open(parse(raw.format(port=caught.port), fragment=True)):
                    pass
            except (NotALink, SourceError) as error:
                refused.append(error)

        async with asyncio.TaskGroup() as group:
            for raw in HOSTILE:
                group.create_task(refuse(raw))
    assert (len(HOSTILE), 0) == (len(refused), caught.connections)


async def test_links_inside_reach_nothing_by_yt_dlp(cell: Cell) -> None:
    """A list of them all: each is fetched in a child that no namespace holds back."""
    async with trap() as caught:
        lines = [f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{raw}\n".format(port=caught.port) for raw in LEADING_INSIDE]
        body = "#EXTM3U\n{}".format("".join(lines)).encode()
        told = reply(200, "Content-Type: application/vnd.apple.mpegurl", body=body)
        async with site(told, OPEN) as there, visitor(cell, f"{OPEN}/32", isolated=False) as yt_dlp:
            found = await yt_dlp.told({"look": there.url("/list.m3u8"), "proxy": yt_dlp.proxy})
            assert len(LEADING_INSIDE) == len(found["formats"])
            for number in range(len(LEADING_INSIDE)):
                said = await yt_dlp.fetched([number])
                assert "failed" == said["event"], found["formats"][number]["url"]
    assert 0 == caught.connections


async def test_texts_that_are_no_links_reach_nothing_by_yt_dlp(cell: Cell) -> None:
    """Given to yt-dlp as they are: it takes more for a link than we do."""
    async with trap() as caught, visitor(cell, f"{OPEN}/32", isolated=False) as yt_dlp:
        said = {raw: await yt_dlp.visit(raw.format(port=caught.port)) for raw in NO_LINKS}
    assert 0 == caught.connections
    # its bytes are in the link itself
    assert {"data:text/plain,127.0.0.1"} >= {raw for raw, each in said.items() if each["event"] != "failed"}


async def test_documents_that_point_inside_reach_nothing_by_yt_dlp(films: Path, cell: Cell) -> None:
    """Pages, lists, feeds and manifests with a segment, key, beginning, chapter or next step inside."""
    async with (
        decoys(films, PLACES) as (there, caught),
        visitor(cell, f"{OPEN}/32", isolated=False) as yt_dlp,
    ):
        for turn, name in enumerate([*LEADING, *IDLE]):
            said = await yt_dlp.visit(there.url(f"/{name}?{turn}"))
            assert name in IDLE or said["event"] == "failed", (name, turn)
        assert Reason.PRIVATE_ADDRESS is yt_dlp.granted.refusal
    assert 0 == caught.connections
    assert not any(b"root:" in file.read_bytes() for file in cell.folder.iterdir() if file.is_file())


async def test_documents_that_point_inside_would_reach_it_without_the_guard(films: Path, cell: Cell) -> None:
    """The control: each of them is an attack, by a name and by an address."""
    async with (
        decoys(films, ["127.0.0.2:{port}", "inside.example:{port}"]) as (there, caught),
        visitor(cell, "127.0.0.0/8", isolated=True) as yt_dlp,
    ):
        for turn, name in enumerate([*LEADING, *IDLE]):
            await yt_dlp.visit(there.url(f"/{name}?{turn}"))
    reached = {asked.path.split("/")[1] for each in caught.sites for asked in each.asked}
    assert {*LEADING} == reached


@pytest.mark.parametrize("name", ["segment.m3u8", "chapter.mpd", "source.html", "refresh.html"])
async def test_document_that_points_inside_is_refused_with_the_reason(name: str, films: Path) -> None:
    """The whole way of a link: a person is told that it leads to an address that is not allowed."""
    async with decoys(films, ["127.0.0.2:{port}"]) as (there, caught), sources(f"{OPEN}/32") as opener:
        with pytest.raises(SourceError) as error:
            async with opener.open(parse(there.url(f"/{name}?0"))):
                pass
    assert (Reason.PRIVATE_ADDRESS, 0) == (error.value.reason, caught.connections)


async def test_redirect_inside_at_any_hop_reaches_nothing(cell: Cell) -> None:
    """After one hop or ten, by the direct source and by yt-dlp alike."""
    async with trap() as caught:

        async def hop(asked: Asked, writer: asyncio.StreamWriter) -> None:
            left = int(asked.path.rpartition("/")[2])
            place = PLACES[left % len(PLACES)] if not left else ""
            where = f"http://{place.format(port=caught.port)}/" if not left else there.url(f"/r/{left - 1}")
            await reply((301, 302, 303, 307, 308)[left % 5], f"Location: {where}")(asked, writer)

        async with (
            site(hop, OPEN) as there,
            sources(f"{OPEN}/32") as opener,
            visitor(cell, f"{OPEN}/32", isolated=False) as yt_dlp,
        ):
            for hops in range(REDIRECTS):
                with pytest.raises(SourceError) as error:
                    async with opener.open(parse(there.url(f"/r/{hops}"))):
                        pass
                assert Reason.PRIVATE_ADDRESS is error.value.reason
                assert "failed" == (await yt_dlp.visit(there.url(f"/r/{hops}")))["event"]
    assert 0 == caught.connections


async def test_redirect_of_a_page_to_any_hostile_link_reaches_nothing_by_yt_dlp(cell: Cell) -> None:
    """An open site may name whatever it likes in its Location."""
    locations = [raw for raw in HOSTILE if len(raw) < 200 and not re.search("[\r\n\0]", raw)][::8]
    async with trap() as caught:
        told = [reply(302, f"Location: {raw.format(port=caught.port)}".encode()) for raw in locations]

        async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
            await told[int(asked.path.lstrip("/"))](asked, writer)

        async with site(answer, OPEN) as there, visitor(cell, f"{OPEN}/32", isolated=False) as yt_dlp:
            for at in range(len(locations)):
                said = await yt_dlp.visit(there.url(f"/{at}"))
                assert "failed" == said["event"], locations[at]
    assert 0 == caught.connections


async def test_name_that_changes_its_address_reaches_nothing_by_yt_dlp(cell: Cell) -> None:
    """DNS rebinding between the page and the film that is on it."""
    async with trap() as caught:
        page = f'<video src="http://rebind.example:{caught.port}/film.mp4"></video>'.encode()
        lines = ("Content-Type: text/html", f"Content-Length: {len(page)}")
        async with (
            site(in_turn(reply(200, *lines, body=page)), OPEN) as there,
            visitor(cell, f"{OPEN}/32", isolated=False) as yt_dlp,
        ):
            # the first answer of the DNS is open, and of use for the page alone
            first = await yt_dlp.visit(f"http://rebind.example:{there.port}/page.html")
            second = await yt_dlp.visit(f"http://rebind.example:{there.port}/page.html")
    assert ["failed"] * 2 == [first["event"], second["event"]]
    assert (True, 0) == (there.connections > 0, caught.connections)


#: What a site may send instead of a film, so that the program that joins films goes out itself.
LISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n{segments}#EXT-X-ENDLIST\n",
    "segment": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.2:{port}/a.ts\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\n{files}",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT3S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
    'bandwidth="1"><BaseURL>{first}</BaseURL></Representation></AdaptationSet></Period></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.2\ns=x\nc=IN IP4 127.0.0.2\nt=0 0\nm=video {port} RTP/AVP 96\n",
    "asx": '<asx version="3.0"><entry><ref href="{first}"/></entry></asx>',
    "url": "[InternetShortcut]\nURL={first}\n",
}


def listed(kind: str, port: int) -> bytes:
    """A list that names all hostile links."""
    links = [raw.format(port=port) for raw in HOSTILE if len(raw) < 1000 and raw.isprintable()]
    return (
        LISTS[kind]
        .format(
            segments="".join(f"#EXTINF:1,\n{link}\n" for link in links),
            files="".join(f"file '{link}'\n" for link in links if "'" not in link),
            first=links[1],
            port=port,
        )
        .encode()
    )


@pytest.mark.parametrize("isolated", [True, False])
async def test_list_instead_of_a_film_reaches_nothing_by_ffmpeg(isolated: bool, cell: Cell) -> None:
    """What was fetched for joining names other places: ffmpeg does not even take it for a film."""
    async with trap() as caught:
        for kind in LISTS:
            part = cell.folder / "1.m3u8"
            part.write_bytes(listed(kind, caught.port))
            with pytest.raises(SourceError):
                await join([part], cell.folder / "film.mp4", Cells(isolated=isolated), cell)
    assert 0 == caught.connections


async def test_list_that_is_fed_instead_of_a_film_reaches_nothing_by_ffmpeg(cell: Cell) -> None:
    """Where a remote file is read over loopback: the way back out is not open to what stands in it."""
    async with trap() as caught:

        async def feed(asked: Asked, writer: asyncio.StreamWriter) -> None:
            body = listed(asked.path.strip("/").partition(".")[0], caught.port)
            kind = f"Content-Type: {KINDS['m3u8']}"
            writer.write(head(200, kind, f"Content-Length: {len(body)}") + body)

        async with site(feed, OPEN) as there:
            for kind in LISTS:
                for recipe in (Recipe(container="mp4", start_s=1), Recipe(container="mp3", sound="mp3")):
                    into = cell.folder / f"made.{recipe.container}"
                    program = arguments([there.url(f"/{kind}.m3u8")], recipe, into, None, None)
                    async with Cells(isolated=False).start(program, cell) as ffmpeg:
                        assert await ffmpeg.ended(), kind
        assert len(LISTS) <= len(there.asked)
    assert 0 == caught.connections


#: Has ffmpeg play each of the links that it is told.
PLAYS = """
import json, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
order = json.loads(sys.stdin.readline())
def play(link):
    told = [sys.argv[1], "-nostdin", "-i", link, "-f", "null", "-"]
    environment = {"http_proxy": order["proxy"]} if order["proxy"] else {}
    try:
        return subprocess.run(told, env=environment, capture_output=True, timeout=2).returncode
    except subprocess.TimeoutExpired:  # some ways to receive wait for whoever comes
        return 1
print(json.dumps(list(ThreadPoolExecutor(2).map(play, order["links"]))), flush=True)
"""


@pytest.mark.skipif(not allows_namespaces(), reason="the machine lets nobody make networks")
@pytest.mark.parametrize("through", [True, False], ids=["proxy", "no-proxy"])
async def test_hostile_links_reach_nothing_by_ffmpeg(through: bool, cell: Cell) -> None:
    """Told to play them, as it never is: its network has the proxy, and nothing else."""
    program = (sys.executable, "-I", "-c", PLAYS, ffmpeg_program())
    async with trap() as caught, Proxy(Guard([ip_network(f"{OPEN}/32")]), HASTY, names()) as proxy:
        raws = [raw.format(port=caught.port) for raw in HOSTILE if "\0" not in raw and len(raw) < 99_999]
        with proxy.admit(size_bytes=MIB, duration_s=60) as granted:
            async with Cells().start(program, cell, proxy) as child:
                link = granted.url(child.port) if through else ""
                await child.say({"proxy": link, "links": raws[:: 1 if through else 8]})
                statuses = await child.hear()
            assert (Reason.PRIVATE_ADDRESS if through else None) is granted.refusal
    assert (False, 0) == (0 in statuses, caught.connections)


async def test_film_of_a_real_site_arrives_past_the_same_guard(films: Path, cell: Cell) -> None:
    """The control of the other side: the guard that refuses all of the above lets a film through."""
    async with (
        web(films, host=OPEN) as there,
        trap() as caught,
        visitor(cell, f"{OPEN}/32", isolated=False) as yt_dlp,
    ):
        said = await yt_dlp.visit(there.url("/hls/list.m3u8"))
    assert ("fetched", 0) == (said["event"], caught.connections)


async def test_film_is_found_whatever_extractor_is_named(films: Path, cell: Cell) -> None:
    """The name spares yt-dlp the reading of all its patterns; one that does not take the link is ignored."""
    async with web(films, host=OPEN) as there, visitor(cell, f"{OPEN}/32", isolated=False) as yt_dlp:
        for extractor in ("generic", "youtube", "no such", None):
            order = {"look": there.url("/page.html"), "extractor": extractor, "proxy": yt_dlp.proxy}
            said = await yt_dlp.told(order)
            assert ("found", "The Tone: a Film") == (said["event"], said.get("title")), extractor

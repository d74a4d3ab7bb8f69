"""Documents that an open site serves, and that point inside: each as its path and what it is.

`{inside}` is the address of a trap, with the decoy's own path in it; `{open}` that of the open site.
"""

from collections.abc import Mapping
from typing import Final

_HLS: Final = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:1\n"
_MASTER: Final = "#EXTM3U\n"
_SEGMENT: Final = "#EXTINF:1.0,\n{open}/hls/list0.ts\n#EXT-X-ENDLIST\n"
_MPD: Final = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 xmlns:xlink="http://www.w3.org/1999/xlink" mediaPresentationDuration="PT3S">%s</MPD>"""
_SET: Final = """<Period>%s<AdaptationSet mimeType="video/mp4" codecs="avc1.42c00d"><Representation id="1"
 bandwidth="1000" width="320" height="180">%s</Representation></AdaptationSet></Period>"""
_PAGE: Final = "<!DOCTYPE html><html><head><title>A film</title>%s</head><body>%s</body></html>"

#: Those in which a reader without a guard goes inside.
LEADING: Final[Mapping[str, str]] = {
    "segment.m3u8": _HLS + "#EXTINF:1.0,\n{inside}/a.ts\n#EXT-X-ENDLIST\n",
    "ranged.m3u8": _HLS + "#EXTINF:1.0,\n#EXT-X-BYTERANGE:100@0\n{inside}/a.ts\n#EXT-X-ENDLIST\n",
    "late.m3u8": _HLS + "#EXTINF:1.0,\n{open}/hls/list0.ts\n#EXTINF:1.0,\n{inside}/a.ts\n#EXT-X-ENDLIST\n",
    "variant.m3u8": _MASTER + '#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.42c00d"\n{inside}/list.m3u8\n',
    "sound.m3u8": _MASTER
    + '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="{inside}/a.m3u8"\n'
    + '#EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO="a"\n{open}/hls/list.m3u8\n',
    "key.m3u8": _HLS + '#EXT-X-KEY:METHOD=AES-128,URI="{inside}/key"\n' + _SEGMENT,
    "beginning.m3u8": _HLS + '#EXT-X-MAP:URI="{inside}/init.mp4"\n' + _SEGMENT,
    "base.mpd": _MPD % (_SET % ("", "<BaseURL>{inside}/a.mp4</BaseURL>")),
    "period.mpd": _MPD
    % (
        _SET
        % (
            "<BaseURL>{inside}/</BaseURL>",
            '<SegmentTemplate media="$Number$.m4s" duration="1" timescale="1" startNumber="1"/>',
        )
    ),
    "template.mpd": _MPD
    % (
        _SET
        % ("", '<SegmentTemplate media="{inside}/$Number$.m4s" duration="1" timescale="1" startNumber="1"/>')
    ),
    "chapter.mpd": _MPD
    % (
        _SET
        % (
            "",
            '<SegmentTemplate initialization="{inside}/init.mp4" media="{open}/hls/list$Number$.ts" '
            'duration="1" timescale="1" startNumber="0"/>',
        )
    ),
    "segments.mpd": _MPD
    % (
        _SET
        % (
            "",
            '<SegmentList duration="1"><Initialization sourceURL="{inside}/init.mp4"/>'
            '<SegmentURL media="{inside}/a.m4s"/></SegmentList>',
        )
    ),
    "source.html": _PAGE % ("", '<video src="{inside}/film.mp4"></video>'),
    "sources.html": _PAGE % ("", '<video><source type="video/mp4" src="{inside}/film.mp4"></video>'),
    "list.html": _PAGE % ("", '<video><source type="application/x-mpegurl" src="{inside}/a.m3u8"></video>'),
    "graph.html": _PAGE % ('<meta property="og:video" content="{inside}/film.mp4">', ""),
    "player.html": _PAGE
    % (
        '<meta name="twitter:player:stream" content="{inside}/film.mp4"><meta name="twitter:player" '
        'content="{inside}/embed">',
        "",
    ),
    "refresh.html": _PAGE % ('<meta http-equiv="refresh" content="0; url={inside}/next.html">', ""),
    "linked.html": _PAGE
    % (
        '<script type="application/ld+json">{{"@context":"https://schema.org","@type":"VideoObject",'
        '"name":"A film","contentUrl":"{inside}/film.mp4"}}</script>',
        "",
    ),
    "setup.html": _PAGE
    % ("", '<script>jwplayer("p").setup({{"file":"{inside}/film.mp4","title":"A film"}});</script>'),
    "feed.rss": '<?xml version="1.0"?><rss version="2.0"><channel><title>A feed</title><item>'
    "<title>One</title><link>{inside}/film.html</link></item></channel></rss>",
    "enclosure.rss": '<?xml version="1.0"?><rss version="2.0"><channel><title>A feed</title><item>'
    '<title>One</title><enclosure url="{inside}/film.mp4" type="video/mp4"/></item></channel></rss>',
    "list.xspf": '<?xml version="1.0"?><playlist xmlns="http://xspf.org/ns/0/" version="1">'
    "<title>A list</title><trackList><track><title>One</title><location>{inside}/film.mp4</location></track>"
    "</trackList></playlist>",
    "list.smil": '<smil><head/><body><switch><video src="{inside}/film.mp4" system-bitrate="1"/></switch>'
    "</body></smil>",
    "subtitles.m3u8": _MASTER
    + '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="s",LANGUAGE="en",URI="{inside}/s.m3u8"\n'
    + '#EXT-X-STREAM-INF:BANDWIDTH=1000,SUBTITLES="s"\n{open}/hls/list.m3u8\n',
    "subtitles.mpd": _MPD
    % (
        '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000" width="320" '
        'height="180"><BaseURL>{open}/film.mp4</BaseURL></Representation></AdaptationSet>'
        '<AdaptationSet mimeType="text/vtt" lang="en"><Representation id="s" bandwidth="1">'
        "<BaseURL>{inside}/s.vtt</BaseURL></Representation></AdaptationSet></Period>"
    ),
    "track.html": _PAGE
    % (
        "",
        '<video src="{open}/film.mp4"><track kind="subtitles" srclang="en" src="{inside}/s.vtt"></video>',
    ),
    "list.f4m": '<?xml version="1.0"?><manifest xmlns="http://ns.adobe.com/f4m/2.0"><media '
    'href="{inside}/more.f4m" bitrate="1"/></manifest>',
}

#: Those in which what points inside is never asked for by yt-dlp: no pictures or frames, no other schemes.
IDLE: Final[Mapping[str, str]] = {
    "iframes.m3u8": _MASTER
    + '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1000,URI="{inside}/i.m3u8"\n'
    + '#EXT-X-SESSION-DATA:DATA-ID="x",URI="{inside}/data"\n'
    + '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="{inside}/k"\n'
    + "#EXT-X-STREAM-INF:BANDWIDTH=1000\n{open}/hls/list.m3u8\n",
    "elsewhere.mpd": _MPD
    % '<Location>{inside}/new.mpd</Location><Period xlink:href="{inside}/period" xlink:actuate="onLoad"/>',
    "picture.html": _PAGE
    % (
        '<meta property="og:image" content="{inside}/cover.jpg"><link rel="icon" href="{inside}/icon">',
        '<video src="{open}/film.mp4" poster="{inside}/p.jpg"></video>',
    ),
    "file_track.html": _PAGE
    % ("", '<video src="{open}/film.mp4"><track srclang="en" src="file:///etc/passwd?a.vtt"></video>'),
    "data_track.html": _PAGE
    % ("", '<video src="{open}/film.mp4"><track srclang="en" src="data:text/vtt,{inside}/s.vtt"></video>'),
    "frame.html": _PAGE % ("", '<iframe src="{inside}/embed"></iframe><img src="{inside}/a.gif">'),
    "file.m3u8": _HLS + "#EXTINF:1.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "data.m3u8": _HLS + "#EXTINF:1.0,\ndata:video/mp2t;base64,AAAA\n#EXT-X-ENDLIST\n",
    "gopher.m3u8": _HLS + "#EXTINF:1.0,\ngopher://127.0.0.2/_x\n#EXT-X-ENDLIST\n",
    "file.html": _PAGE % ("", '<video src="file:///etc/passwd"></video>'),
    "search.html": _PAGE % ('<meta http-equiv="refresh" content="0; url=ytsearch:cats">', ""),
}

KINDS: Final[Mapping[str, str]] = {
    "m3u8": "application/vnd.apple.mpegurl",
    "mpd": "application/dash+xml",
    "html": "text/html",
    "rss": "application/rss+xml",
    "xspf": "application/xspf+xml",
    "smil": "application/smil+xml",
    "f4m": "application/f4m+xml",
}

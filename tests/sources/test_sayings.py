"""What the nine largest sites say through yt-dlp, and what a person is told of it.

The texts are those that yt-dlp 2026.10 raises itself, and what the sites answer that it passes on.
"""

import pytest
from yt_dlp.networking.exceptions import TransportError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError, UserNotLive

from uploader.sources.media.messages import KINDS
from uploader.sources.media.sayings import kind_of

HINT = (
    "Use --cookies-from-browser or --cookies for the authentication. See  "
    "https://github.com/yt-dlp/yt-dlp/wiki/FAQ#how-do-i-pass-cookies-to-yt-dlp  for how to do so"
)
YOUTUBE = {
    "Sign in to confirm you’re not a bot": "robot",
    "Sign in to confirm you're not a bot": "robot",
    "Please sign in": "robot",
    "Video unavailable. YouTube is requiring a captcha challenge before playback": "robot",
    "All player responses are invalid. Your IP is likely being blocked by Youtube": "robot",
    "The current session has been rate-limited by YouTube for up to an hour": "limited",
    "This content isn't available, try again later. Your account has been rate-limited by YouTube for up to "
    "an hour. It is recommended to use `-t sleep` to add a delay between video requests": "limited",
    "The following content is not available on this app. Watch on the latest version of YouTube.": "set-up",
    "Only images are available for download. use --list-formats to see them": "set-up",
    "The page needs to be reloaded.": "set-up",
    "No player clients have been requested": "set-up",
    "Requested format is not available": "set-up",
    "Video unavailable. This video is no longer available because the YouTube account associated with this "
    "video has been terminated.": "gone",
    "This account has been suspended": "gone",
    "This video is no longer available because the uploader has closed their YouTube account.": "gone",
    "This video has been removed by the uploader": "gone",
    "This video has been removed for violating YouTube's Terms of Service": "gone",
    "This video is no longer available due to a copyright claim by Sony": "gone",
    "This video does not exist.": "gone",
    "Video unavailable": "gone",
    "The channel/playlist does not exist and the URL redirected to youtube.com home page": "gone",
    "This playlist type is unviewable.": "gone",
    "This live stream recording is not available.": "gone",
    "This live event has ended.": "gone",
    "Playback on other websites has been disabled by the video owner": "gone",
    "This channel does not have a streams tab": "no-media",
    "Private video. Sign in if you've been granted access to this video": "login",
    "This video is private": "login",
    "Sign in to confirm your age. This video may be inappropriate for some users.": "login",
    "This video is age-restricted and only available on YouTube": "login",
    "Join this channel to get access to members-only content like this video.": "login",
    "This video is available to this channel's members on level: Gold (or any higher level).": "login",
    "Content warning. The following content may contain suicide or self-harm topics.": "login",
    "The following content has been identified by the community as inappropriate or offensive": "login",
    "This video is only available to Music Premium members": "login",
    "Login details are needed to download this content": "login",
    "This live event will begin in 5 hours.": "upcoming",
    "Premieres in 12 minutes": "upcoming",
    "Premiere will begin shortly": "upcoming",
    "We're processing this video. Check back later.": "upcoming",
    "Offline.": "upcoming",
    "This video requires payment to watch.": "paid",
    "This video is not available in your country": "geo",
    "Video unavailable. This video contains content from SME, who has blocked it in your country on "
    "copyright grounds": "geo",
    "The uploader has not made this video available in your country": "geo",
    "This video is DRM protected": "drm",
    "YouTube said: Unknown error.": "broken",
    "Failed to extract any player response": "broken",
    "Incomplete data received": "broken",
    "Unable to recognize tab page": "broken",
    "An error occurred. Please try again later.": "busy",
}
INSTAGRAM = {
    "The webpage request was redirected to the login page. You have exceeded the rate-limit for accessing "
    "posts anonymously": "robot",
    "This content is only available for registered users who follow this account": "login",
    "This content is unreachable": "gone",
    "You need to log in to access this content": "login",
    "Restricted Video: You must be 18 years old or over to see this video": "login",
    "There is no video in this post": "no-media",
    "Instagram sent an empty media response. Check if this post is accessible in your browser without being "
    "logged-in.": "login",
    "Unable to extract user id": "broken",
}
TIKTOK = {
    "Your IP address is blocked from accessing this post": "robot",
    "Unable to solve JS challenge": "robot",
    "Unable to extract challenge data": "robot",
    "Fresh cookies (not necessarily logged in) are needed": "robot",
    "TikTok is requiring login for access to this content": "login",
    "You do not have permission to view this post. Log into an account that has access": "login",
    "This user's account is private. Log into an account that has access": "login",
    "This post may not be comfortable for some audiences. Log in for access": "login",
    "Video not available, status code 10204": "gone",
    "This livestream has ended": "gone",
    "This account does not have any videos posted": "no-media",
    "Unable to extract universal data for rehydration": "broken",
}
X = {
    "Could not retrieve guest token": "robot",
    "NSFW tweet requires authentication": "login",
    "You are not authorized to view this protected tweet": "login",
    "Requested tweet is unavailable": "gone",
    "Twitter API says: This Post is from a suspended account": "gone",
    "Twitter API says: This Post was deleted by the Post author": "gone",
    "Twitter API says: This Post is from an account that no longer exists": "gone",
    "Twitter API says: This Post is unavailable": "gone",
    "Twitter API says: This Post has been withheld in DE in response to a legal demand": "geo",
    "Twitter API says: Age-restricted adult content": "login",
    "Suspended": "gone",
    "No video could be found in this tweet": "no-media",
    "Media #2 is not a video": "no-media",
    "Video #3 is unavailable": "gone",
    "Broadcast no longer exists": "gone",
    "This live broadcast has not yet started": "upcoming",
    "Twitter Space not started yet": "upcoming",
    "Twitter Space ended but not downloadable yet": "upcoming",
    "Twitter Space ended and replay is disabled": "gone",
    "Twitter Space not found": "gone",
    "Error(s) while querying API: Over capacity": "busy",
    "Error(s) while querying API: Internal error": "broken",
}
FACEBOOK = {
    "This video is only available for registered users": "login",
    'The video is not available, Facebook said: "This video may have been deleted or its privacy settings '
    'changed"': "gone",
    "Cannot parse data": "broken",
}
REDDIT = {
    "Your IP address is unable to access the Reddit API": "robot",
    "Account authentication is required": "robot",
    "Quarantined subreddit; an account that has opted in is required": "login",
    "Private subreddit; an account that has been approved is required": "login",
    "No media found": "no-media",
    "This video is processing": "upcoming",
}
VIMEO = {
    "This request has been blocked due to its TLS fingerprint. Install a required impersonation dependency "
    "if possible. If you are using a data center IP or VPN/proxy, your IP may be blocked.": "robot",
    "Got HTTP Error 403. If you are using a data center IP or VPN/proxy, your IP may be blocked": "robot",
    "This video is protected by a password, use the --video-password option": "login",
    "Because of its privacy settings, this video cannot be played here": "login",
    "Authentication may be needed due to your location.": "login",
    "The web client only works when logged-in": "login",
    "This event has not been made available to anyone": "login",
    "This live event is scheduled for 2026-12-01": "upcoming",
    "This event video is unavailable": "gone",
    'Unsupported API client "tv" requested. Supported clients are: android, web': "set-up",
    "The android client is unable to fetch new OAuth tokens and is only intended for use with previously "
    "cached tokens": "set-up",
}
TWITCH = {
    "Video v123 does not exist": "gone",
    "nosuchchannel does not exist": "gone",
    "This clip is no longer available": "gone",
    'Channel "x" not found': "gone",
    "You must be logged into an account that has access to this subscriber-only content": "login",
    "Your account does not have access to this subscriber-only content": "login",
}
SOUNDCLOUD = {
    "Unable to extract client id": "broken",
    "soundcloud said: 404 - Not Found": "gone",
    "This video is not available from your location due to geo restriction": "geo",
}
ALL = [
    pytest.param(site, text, kind, id=f"{site}-{number}")
    for site, texts in (
        ("youtube", YOUTUBE),
        ("instagram", INSTAGRAM),
        ("tiktok", TIKTOK),
        ("twitter", X),
        ("facebook", FACEBOOK),
        ("reddit", REDDIT),
        ("vimeo", VIMEO),
        ("twitch", TWITCH),
        ("soundcloud", SOUNDCLOUD),
    )
    for number, (text, kind) in enumerate(texts.items())
]


@pytest.mark.parametrize(("site", "text", "kind"), ALL)
def test_what_a_site_says_when_raised_by_yt_dlp_comes_to_its_kind(site: str, text: str, kind: str) -> None:
    """Whatever the name of the extractor and the id of the film say, and with yt-dlp's advice behind it."""
    plain = ExtractorError(text, expected=True, ie=site, video_id="live-private-drm")
    advised = ExtractorError(f"{text}. {HINT}", expected=True, ie=site, video_id="x")
    unexpected = ExtractorError(text, ie=site, video_id="x")
    understood = "refused" if kind == "broken" else kind
    assert [understood, understood, kind] == [kind_of(plain), kind_of(advised), kind_of(unexpected)]
    assert kind in KINDS or kind == "broken"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (GeoRestrictedError("Not here", countries=["DE"]), "geo"),
        (UserNotLive(video_id="somebody"), "not-live"),
        (UnsupportedError("https://films.example/"), "no-media"),
        (TransportError("reset"), "unreachable"),
        (KeyError("playerResponse"), "broken"),
        (TypeError("NoneType is not subscriptable"), "broken"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_failure_when_yt_dlp_wraps_it_keeps_its_kind(error: Exception, kind: str) -> None:
    """By itself, and as the cause of yt-dlp's general error."""
    wrapped = DownloadError("ERROR: something", (type(error), error, None))
    assert [kind, kind] == [kind_of(error), kind_of(wrapped)]

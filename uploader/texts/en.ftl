# Texts of the bot in English. Keys and arguments are the same in every language (a test compares them).
# An argument $n that is a number comes twice: $n to choose a plural, $n-text to be shown.

start =
    Hello { $name }! I am a courier for files.

    Send me a link to a file and I bring the file here. /help says more.
help =
    Send me a link, such as https://example.com/film.mp4, and I bring the file into this chat.

    • Of a film I ask which size, sound or subtitles you want. /settings is where you say it once and for all.
    • Several links: write them into one message, or send me a text file of them. They share one card. Of a playlist I ask which entries you want.
    • A part of a film: write it behind the link, such as https://example.com/film.mp4 1:20-2:35
    • Send or forward me a file, and I give it another name or other words, or send a film as a file and back. A link to a post on Telegram (https://t.me/channel/123) brings its file.
    • A file over { $cap } comes in several parts, or not at all: that is in /settings, too.

    • You can send the next link at once: they wait in a queue.
    • /cancel stops everything of yours that waits or runs.
    • If sponsors are shown, join their channels once; your file starts by itself.
help-admin =
    For admins:
    /status – what is going on
    /failed – what failed within a day, by its cause
    /cookies – the logins that I may use at sites
    /sites – sites that fail and are let rest for a minute
    /maintenance on, /maintenance off – stop or resume taking links
    /lock – sponsor channels: /lock add @channel, /lock remove @channel

settings =
    Films that can be had in several ways: { $format }.

    Files over { $cap }, which do not fit into one message: { $choice ->
        [split] I send them in parts. A film in parts that play; anything else in parts that you join, and I tell you how.
       *[refuse] I do not bring them, and say so.
    }
settings-changed = From now on: { $format }.
settings-split = From now on: in parts.
settings-refuse = From now on: not at all.
button-chosen = ✓ { $label }
button-split = Large files: in parts
button-refuse = Large files: not at all

format-ask = I ask you each time
format-best = the best that fits into one message
format-film = at most { $quality }
format-sound = only the sound, as { $kind }
format-original = the original file
button-ask = Ask me
button-best = Best that fits
button-sound = ♪ { $kind }
button-original = Original file
button-option = { $label } · { $size }
button-option-over = ✂ { $label }
about = ~{ $size }

choice =
    Which one shall I bring?
    I wait { $wait } for your answer, and then let the link go.
choice-cut = Only this part: { $span }
choice-subtitles = With subtitles: { $language }
choice-parts = ✂ – larger than { $cap }: it comes in several parts.
choice-left-out = Larger than { $cap }, and so not offered: { $labels }. In /settings you can have such films in parts.
choice-over = This question is no longer open. To have it after all, send it again.
choice-expired = I waited { $wait } for your choice, and let this go. Send it again whenever you like.
button-subtitles = Subtitles: { $language }
button-cut = Only a part
button-whole = The whole film
button-no-subtitles = None
button-back = Back
button-page = Page { $number-text }
button-always = Always: { $format }
file-card = { $name } · { $size }
file-caption = Under it: { $caption }
file-bare = Under it: nothing.
file-as-file = As a file.
file-as-media = As a film or as music.
file-how =
    Shall I send it as it is? To change it first, write a new name, or /caption and the words that shall stand under it. I wait { $wait }.
# An album: its files are named below.
album-card = { $count ->
    [one] One file · { $size }
   *[other] { $count-text } files · { $size }
}
album-caption = Under the first: { $caption }
album-how =
    Shall I send them as they are? To have other words under the first, write /caption and the words. I wait { $wait }.
button-file-send = Send
button-file-link = Bring the link under it
button-file-bare = No words under it
button-file-words = Words as they were
button-file-same = Shown as before
button-as-file = As a file
button-as-media = As a film / music
choice-languages = Which subtitles shall be in the film? They can be switched off in the player.
cut-how = Answer this message with from and to, such as 1:20-2:35, or 1:20- for all that follows.
cut-bad = I cannot read which part you want. Write from and to, such as 1:20-2:35.
cut-beyond = The film is only { $length } long. Write a part that lies within it.
language-name = { $tag ->
    [ar] Arabic
    [de] German
    [en] English
    [es] Spanish
    [fa] Persian
    [fr] French
    [hi] Hindi
    [it] Italian
    [ja] Japanese
    [ko] Korean
    [ku] Kurdish
    [pt] Portuguese
    [ru] Russian
    [tr] Turkish
    [ur] Urdu
    [zh] Chinese
   *[other] { $tag }
}

volume-of = { $name } · part { $number-text } of { $count-text }
volume = { $name } · part { $number-text }
manifest = { $name } ({ $total }) did not fit into one message of { $cap }. It came in { $count-text } parts, each with its SHA-256:
manifest-plays = { $name } ({ $total }) did not fit into one message of { $cap }. It came in { $count-text } parts, each of which plays by itself. They and their SHA-256:
manifest-volume = { $name } · { $size }
manifest-join = To have the file again, save all parts into one folder and join them there:
manifest-windows = Windows (Command Prompt; or 7-Zip: File, Combine Files):
manifest-unix = macOS and Linux (Terminal):
manifest-android = Android: open the first part with an app that joins .001 files, or use the line above in Termux.
manifest-whole = SHA-256 of the joined file:
manifest-uncut = It is a film, but I could not cut it so that each part plays.
manifest-settings = If you would rather not have such files: /settings

no-link = I see no link in this message. Send one that starts with https:// – for example https://example.com/film.mp4
no-such-command = I do not know this command. Send me a link to a file, or /help to see what I can do.
no-file-asked = No file of yours waits for its words. Send me the file first, then /caption and the words.
bad-link = I cannot use this link: { $reason }

not-now = I cannot do that just now. Please try again in a minute.
put-off = I cannot look at this just now. I will as soon as I can: you need not send it again.

queued = { $ahead ->
    [0] Accepted. It starts now.
    [one] Accepted. One file is before yours.
   *[other] Accepted. { $ahead-text } files are before yours.
}
queued-wait = { $ahead ->
    [0] Accepted. It is next, in about { $wait }.
    [one] Accepted. One file is before yours: it starts in about { $wait }.
   *[other] Accepted. { $ahead-text } files are before yours: it starts in about { $wait }.
}
queued-own = Accepted. It starts when one of your other files has arrived.
making =
    { $name }
    { $done } fetched. I make the file of it that you want, and then send it.
preparing =
    { $name }
    { $done } of { $total } fetched. I cut it into parts that play, and then send them.
back = I was away for { $wait }, and am back. { $count ->
    [one] Your file goes on; you need not send it again.
   *[other] Your { $count-text } files go on; you need not send them again.
}
opening = Asking { $host } for the file…
uploading =
    { $name }
    { $bar } { $percent }
    { $done } of { $total } · { $speed }/s · { $eta } left
uploading-begun =
    { $name }
    { $bar } { $percent }
    { $done } of { $total }
uploading-unknown =
    { $name }
    { $done } so far · { $speed }/s (the site does not say how large the file is)
uploading-unknown-begun =
    { $name }
    { $done } so far (the site does not say how large the file is)
parked =
    { $name }
    { $done } so far · waiting for Telegram, { $wait }. It goes on by itself.
finishing =
    { $name }
    All { $total } are at Telegram. Sending the message…
done = Done: { $name }, { $total }.
failed =
    This did not work: { $reason }
retrying =
    { $reason }
    I try again in { $wait }. Nothing more is needed from you.
cancelled = Cancelled.
button-cancel = Cancel
button-again = Try again

# The card of several files at once. $title is a text file's or a list's name, or batch-title.
batch-title = { $count ->
    [one] One link
   *[other] { $count-text } links
}
batch-waiting =
    { $title }
    { $bar } { $count-text } of { $total-text }{ $failed ->
        [0] {""}
       *[other] {" "}· { $failed-text } failed
    }
batch-ended = { $failed ->
    [0] Done: { $title }. All { $total-text } are here.
   *[other] Done: { $title }. { $count-text } of { $total-text } are here, { $failed-text } failed.
}
batch-cancelled = Cancelled: { $title }. { $count-text } of { $total-text } are here.
batch-line-running = ▸ { $name }
batch-line-percent = ▸ { $name } · { $percent }
batch-line-queued = · { $name }
batch-line-waiting-sponsors = · { $name }
batch-line-cancelled = – { $name }
batch-line-failed = ✗ { $name }: { $reason }
batch-line-done = ✓ { $name } · { $size }
batch-more = { $count ->
   *[other] … and { $count-text } more
}
batch-report = { $count ->
    [one] { $title }: one of { $total-text } did not come.
   *[other] { $title }: { $count-text } of { $total-text } did not come.
}
left-out-items = { $count ->
    [one] One more link is left out: that is more than I bring at once. Send it again when these are here.
   *[other] { $count-text } more links are left out: that is more than I bring at once. Send them again when these are here.
}
left-out-waiting = { $count ->
    [one] One more link is left out: with those of yours that wait already it is too many. Send it again when they are here.
   *[other] { $count-text } more links are left out: with those of yours that wait already it is too many. Send them again when they are here.
}
left-out-day = { $count ->
    [one] One more link is left out: it is over what one person can have in a day. Send it again tomorrow.
   *[other] { $count-text } more links are left out: they are over what one person can have in a day. Send them again tomorrow.
}
left-out-full = { $count ->
    [one] One more link is left out: very many files of all people are waiting just now. Send it again later.
   *[other] { $count-text } more links are left out: very many files of all people are waiting just now. Send them again later.
}
button-cancel-all = Cancel all
button-again-failed = Try these again

list-count = { $count-text } entries
list-more = more than { $count-text } entries
list-line = { $number-text }. { $name }
list-line-length = { $number-text }. { $name } · { $length }
list-question = Which of them do you want? Press a button, or answer with numbers from 1 to { $last-text }, such as 2-4, 7. A single one I ask about as about any link. I wait { $wait } for it.
list-bad = I do not understand which ones you want. Answer with numbers from 1 to { $last-text }, such as 2-4, 7
button-first = First { $count-text }
button-all = All { $count-text }

nothing-to-cancel = Nothing of yours waits or runs.
cancelling = { $count ->
    [one] Cancelled one job.
   *[other] Cancelled { $count-text } jobs.
}
too-late = This job has already ended.

sponsors =
    Your link is safe with me. Our sponsors pay for this service: please join { $count ->
        [one] this channel
       *[other] these { $count-text } channels
    }, and your file starts by itself.
button-join = Join { $title }
button-joined = I have joined
sponsors-missing = { $count ->
    [one] One channel is still missing: { $titles }
   *[other] { $count-text } channels are still missing: { $titles }
}
sponsors-unsure = Telegram does not tell me just now whether you have joined { $titles }. I ask again by myself, soon.
sponsors-wait =
    Your link is safe with me. { $unsure }

    As soon as I know that you have joined, your file starts by itself.
sponsors-unknown = Telegram has not told me for a day whether you have joined the channels, so I let this link go. Send it again whenever you like.
sponsors-expired = You did not join the channels within a day, so I let this link go. Send it again whenever you like.

refused-maintenance = I am being looked after just now and take no new links. Files already accepted go on. Please try again later.
refused-stopping = I am restarting and take no new links for a moment. Please send it again in a minute.
refused-too-many = { $count ->
   *[other] You already have { $count-text } files waiting. Send the next when one of them has arrived, or /cancel them.
}

refused-too-fast = That is faster than I can take links ({ $count-text } a minute). I read none for { $wait }: then send this one again.
refused-too-many-calls = Too many messages at once. I read none for { $wait }.
refused-day = You have had all that one person can have in a day. There is room again in { $wait }.
refused-full = Very many files are waiting just now, and I do not want to promise what takes too long. Please send it again in { $wait }.

reason-not-http = only links that start with http:// or https:// can be fetched.
reason-malformed = it is not a complete link.
    .advice = Copy the whole address from your browser's address bar.
reason-private-address = it leads to a private network, which I may not enter.
    .advice = Send a link that everyone can open.
reason-no-such-host = there is no site of that name.
    .advice = Check the spelling.
reason-unreachable = the site does not answer.
    .advice = Try again later, or take another link.
reason-timed-out = the site is too slow.
    .advice = Try again later, or take another link.
reason-not-found = the site says that there is no such file.
    .advice = Check the link, it may have expired.
reason-forbidden = the site does not give this file to me. It may need a login, or the link may have expired.
reason-site-busy = the site is too busy just now.
    .advice = Try again later.
reason-site-rests = the site has failed for everybody of late, so I let it rest for a moment.
reason-site-broken = the site made an error while sending the file.
    .advice = Try again later, or take another link.
reason-changed = the file changed at the site while I was fetching it.
    .advice = Send the link again.
reason-empty = the file is empty (0 bytes), and Telegram takes no empty files.
reason-too-large = the file is larger than { $cap }, the most that fits into one message.
    .advice = Send a smaller one, or choose in /settings that I send it in parts.
reason-too-many-volumes = the file is too large even for parts of { $cap }.
    .advice = Send a smaller one.
reason-no-media = I found neither a file nor a film on this page.
    .advice = Send the link of the film itself.
reason-no-sound = this film has no sound that I could bring alone.
reason-out-of-range = the part that you want lies behind the end of the film.
    .advice = Choose an earlier one.
reason-playlist = this is a list by itself.
    .advice = Send its link alone, and choose of it.
reason-live = this is live, and has no end that I could wait for.
    .advice = Send it again when it is over.
reason-upcoming = this has not started yet.
    .advice = Send it again when it is there.
reason-needs-login = the site shows this only to people who have signed in.
reason-geo-blocked = the site does not show this in the country where I am.
reason-paid = the site wants money for this, and I cannot pay.
reason-not-live = this channel shows nothing just now.
    .advice = Send the link of a film on it.
reason-robot = the site takes me for a robot and does not answer me just now. I let it rest for a while.
reason-set-up = I cannot get this film from the site just now: something is missing on my side, and my admins know.
reason-drm = this is copy-protected, and I cannot bring it.
reason-not-visible = I cannot see that message on Telegram.
    .advice = Forward it to me instead, or make me a member of its channel.
reason-no-file = there is no file in that message on Telegram.
reason-message-gone = the message with the file is not there any more.
    .advice = Send the file again.
reason-protected = its chat on Telegram does not let anybody pass its files on.
reason-crowded = many people wait just now, and the site sends this one slowly: others go first.
reason-no-room = I have no room for this just now.
    .advice = Try again later.
reason-waited-too-long = it waited in the queue for more than a day.
    .advice = Try again when I am less busy.
reason-telegram-waits = Telegram wants me to wait before I send more files.
reason-upload-failed = Telegram did not take the file.
    .advice = Send the link again in a few minutes.
reason-chat-unreachable = I could not write into this chat.
reason-internal = something broke on my side.
    .advice = Send the link again; if it happens twice, tell the admins the number { $job }.

maintenance-usage = Maintenance is { $on ->
    [0] off. Switch it on with /maintenance on
   *[other] on. Switch it off with /maintenance off
}
maintenance-on = Maintenance is on: no new links are taken. Accepted files go on.
maintenance-off = Maintenance is off: links are taken again.
status =
    { $running-text } running · { $queued-text } queued
    { $choosing-text } waiting for a choice · { $waiting-text } waiting for sponsors
    { $done-text } delivered · { $failed-text } failed · { $cancelled-text } cancelled
    Maintenance: { $maintenance ->
        [0] off
       *[other] on
    }
failed-line = { $count-text } × { $reason }
    { $hosts } · last job { $job }
failed-none = Nothing failed within a day.
status-transfer = { $name } · { $percent } · { $speed }/s
status-transfer-begun = { $name } · { $percent }
sites-none = No site rests: all that were asked have answered.
sites-line = { $site }: failed { $count-text } times in a row, asked again in { $wait }
sites-trying = { $site }: the next job tries whether it works again
cookies-usage =
    Cookies let me into sites that want a login. Send me a cookies.txt of one site (Netscape format) as a file with this text under it:
    /cookies add – or /cookies add site.com
    I take it in, seal it and delete your message.
    /cookies – the list
    /cookies remove 3, /cookies restore 3
cookies-none = There are no cookies. /cookies add under a file adds some.
cookies-line-good = { $number }: { $site }, { $count-text } cookies
cookies-line-rejected = { $number }: { $site }, { $count-text } cookies, rejected of late
cookies-line-quarantined = { $number }: { $site }, { $count-text } cookies, rejected: not used any more
cookies-added = Sealed as { $number }: { $count-text } cookies of { $site }. If your message with the file is still there, delete it.
cookies-removed = The cookies { $number } are gone.
cookies-restored = The cookies { $number } are used again.
cookies-unknown = There are no cookies { $number }. /cookies shows the list.
cookies-refused-size = This file is too large for one of cookies. Nothing of it was kept.
cookies-refused-binary = This is no text file. Nothing of it was kept.
cookies-refused-format = This is no cookies.txt in the Netscape format (seven fields a line, with tabs). Nothing of it was kept.
cookies-refused-empty = There is no cookie in this file.
cookies-refused-expired = All cookies in this file have expired. Log in at the site and export them anew.
cookies-refused-site = That is not the name of a site. Write it like this: /cookies add site.com
cookies-refused-foreign = This file holds cookies of other sites, too ({ $sites }). Send one file per site, with nothing else in it. Nothing of it was kept.
cookies-alert = { $site } does not take the cookies { $number } any more. I no longer use them: log in there anew, send a new file with /cookies add, and /cookies remove { $number }.
lock-usage =
    Use it so:
    /lock – the list
    /lock add @channel – people join this channel before they are served (make me an admin there first)
    /lock remove @channel (or its number)
lock-none = No sponsor locks. Add one: /lock add @channel
lock-line = { $title } ({ $name }): { $asked-text } asked, { $joined-text } joined
lock-open = open to everybody: { $cause }
lock-added = Added: people now join { $title } ({ $username }) before they are served.
lock-exists = { $title } ({ $username }) is already a sponsor.
lock-removed = Removed: { $title } ({ $username }).
lock-unknown = { $username } is not among the sponsors. /lock shows the list.
lock-not-found = There is no public channel { $username }.
lock-not-admin = I cannot see who is in { $username }. Make me an admin of that channel, then try again.
alert-carrier = The account { $name } carries no files for { $wait }: { $cause }
alert-lock-open = { $cause ->
    [NO_PUBLIC_NAME] { $title } has no public name any more, so people cannot be sent there. Its lock is open: everybody is served without joining. Give the channel a public name, or: /lock remove { $name }
   *[other] I cannot see who is in { $title } any more ({ $cause }). Its lock is open: everybody is served without joining. Make me an admin there again, or: /lock remove { $name }
}
alert-lock-works = The lock of { $title } works again.
alert-missing = The account { $name } cannot be used: { $cause }. I go on without it; repair that, then restart me.
alert-media = { $own ->
    [1] yt-dlp { $left } broke again and again. I use my own version now.
   *[other] yt-dlp { $left } broke again and again. I use { $used } now, as before.
}
alert-robot = { $site } takes me for a robot. I let it rest, and its links wait. What helps: cookies of an account there (/cookies), or another address on the internet for me.
alert-set-up = I cannot get films from { $site }: something it needs is missing here or too old. On my machine, run.py media status says what there is, and run.py media update brings a newer yt-dlp.
alert-premium = The account { $name } no longer carries files over { $cap }: { $cause }. They go in parts.

unit-b = { $n } B
unit-kib = { $n } KiB
unit-mib = { $n } MiB
unit-gib = { $n } GiB
time-s = { $n } s
time-min = { $n } min
time-h = { $n } h

command-start = How to begin
command-help = What I can do
command-settings = What I bring of films, and of very large files
command-cancel = Stop everything of mine
command-status = What is going on
command-failed = What failed today, and why
command-maintenance = Take no new links for a while
command-lock = Channels that people join first
command-sites = Sites that rest after failures
command-cookies = Logins for sites that want one

# Under a delivered film or song; the fields are those of PEYK_CAPTION
caption =
    {"{title:bold}"}
    {"{duration}"} · {"{size}"}

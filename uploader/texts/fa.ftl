# متن‌های ربات به فارسی. کلیدها و آرگومان‌ها در همهٔ زبان‌ها یکسان‌اند.

start =
    سلام { $name }! من پیک هستم و فایل می‌رسانم.

    لینک یک فایل را برایم بفرست تا خود فایل را، تا { $cap }، به همین‌جا بیاورم. راهنمای بیشتر: /help
help =
    لینکی مثل https://example.com/film.mp4 بفرست تا فایل را، تا { $cap }، در همین گفتگو تحویل بدهم.

    • هر پیام یک لینک. لینک بعدی را هم می‌توانی همان موقع بفرستی؛ در صف می‌ماند.
    • ‏/cancel همهٔ کارهای در صف یا در حال انجام تو را متوقف می‌کند.
    • اگر حامیان نشان داده شدند، یک بار عضو کانال‌هایشان شو؛ فایلت خودش شروع می‌شود.
help-admin =
    برای مدیران:
    ‏/status – وضعیت کنونی
    ‏/maintenance on و ‎/maintenance off – قطع یا وصل پذیرش لینک
    ‏/lock – کانال‌های حامی: ‎/lock add @channel و ‎/lock remove @channel

no-link = در این پیام لینکی نمی‌بینم. لینکی بفرست که با https://‎ شروع شود؛ مثلاً https://example.com/film.mp4
bad-link = این لینک به کارم نمی‌آید: { $reason }

not-now = الان نمی‌توانم این کار را بکنم. لطفاً یک دقیقهٔ دیگر دوباره امتحان کن.

queued = { $ahead ->
    [0] پذیرفته شد و همین حالا شروع می‌شود.
   *[other] پذیرفته شد. { $ahead-text } فایل جلوتر از فایل تو در صف است.
}
opening = دارم فایل را از { $host } می‌خواهم…
uploading =
    { $name }
    { $bar } { $percent }
    { $done } از { $total } · { $speed } در ثانیه · { $eta } مانده
uploading-unknown =
    { $name }
    تا اینجا { $done } · { $speed } در ثانیه (سایت اندازهٔ فایل را نمی‌گوید)
finishing =
    { $name }
    همهٔ { $total } به تلگرام رسید. دارم پیام را می‌فرستم…
done = تمام شد: { $name }، { $total }.
failed =
    نشد: { $reason }
retrying =
    { $reason }
    { $wait } دیگر دوباره امتحان می‌کنم. لازم نیست کاری بکنی.
cancelled = لغو شد.
button-cancel = لغو

nothing-to-cancel = کاری در صف یا در حال انجام نداری.
cancelling = { $count ->
   *[other] { $count-text } کار لغو شد.
}
too-late = این کار قبلاً تمام شده است.

sponsors =
    لینکت پیش من محفوظ است. هزینهٔ این سرویس را حامیان می‌دهند: لطفاً عضو { $count ->
        [one] این کانال
       *[other] این { $count-text } کانال
    } شو تا فایلت خودش شروع شود.
button-join = عضویت در { $title }
button-joined = عضو شدم
sponsors-missing = { $count ->
   *[other] هنوز عضو { $count-text } کانال نشده‌ای: { $titles }
}
sponsors-expired = تا یک روز عضو کانال‌ها نشدی، برای همین این لینک را کنار گذاشتم. هر وقت خواستی دوباره بفرست.

refused-maintenance = الان در حال سرویس هستم و لینک تازه نمی‌گیرم. فایل‌های پذیرفته‌شده ادامه دارند. لطفاً بعداً دوباره بفرست.
refused-stopping = دارم راه‌اندازی دوباره می‌شوم و چند لحظه لینک تازه نمی‌گیرم. لطفاً یک دقیقهٔ دیگر دوباره بفرست.
refused-too-many = { $count ->
   *[other] { $count-text } فایل در صف داری. وقتی یکی رسید بعدی را بفرست، یا با /cancel لغوشان کن.
}

reason-not-http = فقط لینک‌هایی که با http://‎ یا https://‎ شروع می‌شوند قابل دریافت‌اند.
reason-malformed = لینک کامل نیست. نشانی را کامل از نوار نشانی مرورگر کپی کن.
reason-private-address = به یک شبکهٔ خصوصی می‌رسد و اجازهٔ ورود به آن را ندارم. لینکی بفرست که برای همه باز شود.
reason-no-such-host = سایتی به این نام وجود ندارد. املای لینک را ببین.
reason-unreachable = سایت پاسخ نمی‌دهد. بعداً دوباره بفرست یا لینک دیگری بده.
reason-timed-out = سایت بیش از حد کند است. بعداً دوباره بفرست یا لینک دیگری بده.
reason-not-found = سایت می‌گوید چنین فایلی نیست. لینک را ببین؛ شاید منقضی شده باشد.
reason-forbidden = سایت این فایل را به من نمی‌دهد. شاید ورود به حساب لازم باشد یا لینک منقضی شده باشد.
reason-site-busy = سایت الان خیلی شلوغ است. بعداً دوباره بفرست.
reason-site-broken = سایت هنگام فرستادن فایل خطا داد. بعداً دوباره بفرست یا لینک دیگری بده.
reason-changed = فایل در حین دریافت در خود سایت عوض شد. لینک را دوباره بفرست.
reason-empty = فایل خالی است (۰ بایت) و تلگرام فایل خالی نمی‌گیرد.
reason-too-large = فایل از { $cap } بزرگ‌تر است و تلگرام بیشتر از این را نمی‌پذیرد. فایل کوچک‌تری بفرست.
reason-upload-failed = تلگرام فایل را نگرفت. چند دقیقهٔ دیگر لینک را دوباره بفرست.
reason-chat-unreachable = نتوانستم در این گفتگو پیام بگذارم.
reason-internal = چیزی در سمت من خراب شد. لینک را دوباره بفرست؛ اگر باز هم تکرار شد، شمارهٔ { $job } را به مدیران بگو.

maintenance-usage = حالت سرویس { $on ->
    [0] خاموش است. روشن‌کردن: ‎/maintenance on
   *[other] روشن است. خاموش‌کردن: ‎/maintenance off
}
maintenance-on = حالت سرویس روشن شد: لینک تازه پذیرفته نمی‌شود. فایل‌های پذیرفته‌شده ادامه دارند.
maintenance-off = حالت سرویس خاموش شد: لینک‌ها دوباره پذیرفته می‌شوند.
status =
    { $running-text } در حال انجام · { $queued-text } در صف · { $waiting-text } منتظر عضویت
    { $done-text } تحویل‌شده · { $failed-text } ناموفق · { $cancelled-text } لغوشده
    حالت سرویس: { $maintenance ->
        [0] خاموش
       *[other] روشن
    }
status-transfer = { $name } · { $percent } · { $speed } در ثانیه
lock-usage =
    روش استفاده:
    ‏/lock – فهرست
    ‏/lock add @channel – افراد پیش از دریافت خدمت عضو این کانال می‌شوند (اول مرا مدیر آن کانال کن)
    ‏/lock remove @channel
lock-none = هیچ کانال حامی ثبت نشده است. افزودن: ‎/lock add @channel
lock-line = { $title } (@{ $username }): { $asked-text } نفر خواسته شد، { $joined-text } نفر عضو شد
lock-added = افزوده شد: از این پس افراد اول عضو { $title } (@{ $username }) می‌شوند.
lock-exists = { $title } (@{ $username }) از قبل در فهرست حامیان است.
lock-removed = برداشته شد: { $title } (@{ $username }).
lock-unknown = ‏@{ $username } در فهرست حامیان نیست. فهرست: /lock
lock-not-found = کانال عمومی @{ $username } وجود ندارد.
lock-not-admin = نمی‌توانم اعضای @{ $username } را ببینم. مرا مدیر آن کانال کن و دوباره امتحان کن.

unit-b = { $n } بایت
unit-kib = { $n } کیلوبایت
unit-mib = { $n } مگابایت
unit-gib = { $n } گیگابایت
time-s = { $n } ثانیه
time-min = { $n } دقیقه
time-h = { $n } ساعت

command-start = شروع
command-help = چه کارهایی از من برمی‌آید
command-cancel = توقف همهٔ کارهای من

# متن‌های ربات به فارسی. کلیدها و آرگومان‌ها در همهٔ زبان‌ها یکسان‌اند.

start =
    سلام { $name }! من پیک هستم و فایل می‌رسانم.

    لینک یک فایل را برایم بفرست تا خود فایل را به همین‌جا بیاورم. راهنمای بیشتر: /help
help =
    لینکی مثل https://example.com/film.mp4 بفرست تا فایل را در همین گفتگو تحویل بدهم.

    • برای ویدئو می‌پرسم کدام اندازه، صدا یا زیرنویس را می‌خواهی. اگر می‌خواهی هر بار نپرسم: /settings
    • چند لینک: همه را در یک پیام بنویس، یا یک فایل متنی از آن‌ها بفرست؛ یک کارت مشترک دارند. از فهرست پخش می‌پرسم کدام‌ها را می‌خواهی.
    • فقط بخشی از ویدئو: آن را بعد از لینک بنویس، مثلاً ⁦https://example.com/film.mp4 1:20-2:35⁩
    • فایلی برایم بفرست یا فوروارد کن تا نامش، نوشتهٔ زیرش یا شکل نمایشش (فایل یا ویدئو) را عوض کنم. لینک یک پست تلگرام (⁦https://t.me/channel/123⁩) هم فایل آن پست را می‌آورد.
    • فایل بزرگ‌تر از { $cap } در چند تکه می‌آید، یا اصلاً نمی‌آید؛ این هم در /settings است.

    • لینک بعدی را هم می‌توانی همان موقع بفرستی؛ در صف می‌ماند.
    • ‏/cancel همهٔ کارهای در صف یا در حال انجام تو را متوقف می‌کند.
    • اگر حامیان نشان داده شدند، یک بار عضو کانال‌هایشان شو؛ فایلت خودش شروع می‌شود.
help-admin =
    برای مدیران:
    ‏/status – وضعیت کنونی
    ‏/failed – آنچه در یک روز گذشته نشد، به تفکیک علت
    ‎/cookies – ورودهایی که در سایت‌ها اجازه دارم استفاده کنم
    ‎/sites – سایت‌هایی که خطا می‌دهند و یک دقیقه استراحت می‌کنند
    ‏/maintenance on و ‎/maintenance off – قطع یا وصل پذیرش لینک
    ‏/lock – کانال‌های حامی: ‎/lock add @channel و ‎/lock remove @channel

settings =
    ویدئوهایی که به چند شکل موجودند: { $format }.

    فایل‌های بزرگ‌تر از { $cap } که در یک پیام جا نمی‌شوند: { $choice ->
        [split] تکه‌تکه می‌فرستم. ویدئو در تکه‌هایی که هر کدام پخش می‌شود؛ بقیه در تکه‌هایی که خودت به هم می‌چسبانی، و می‌گویم چطور.
       *[refuse] نمی‌آورم و همین را می‌گویم.
    }
settings-changed = از این پس: { $format }.
settings-split = از این پس تکه‌تکه.
settings-refuse = از این پس اصلاً نمی‌آورم.
button-chosen = ✓ { $label }
button-split = فایل‌های بزرگ: تکه‌تکه
button-refuse = فایل‌های بزرگ: نیاور

format-ask = هر بار از تو می‌پرسم
format-best = بهترین کیفیتی که در یک پیام جا شود
format-film = حداکثر { $quality }
format-sound = فقط صدا، به شکل { $kind }
format-original = فایل اصلی
button-ask = از من بپرس
button-best = بهترین کیفیت
button-sound = ♪ { $kind }
button-original = فایل اصلی
button-option = { $label } · { $size }
button-option-over = ✂ { $label }
about = حدود { $size }

choice =
    کدام را بیاورم؟
    { $wait } منتظر پاسخت می‌مانم و بعد این لینک را کنار می‌گذارم.
choice-cut = فقط این بخش: { $span }
choice-subtitles = با زیرنویس: { $language }
choice-parts = ✂ – بزرگ‌تر از { $cap }: در چند تکه می‌آید.
choice-left-out = این‌ها بزرگ‌تر از { $cap } است و پیشنهاد نمی‌شود: { $labels }. در /settings می‌توانی چنین ویدئوهایی را تکه‌تکه بخواهی.
choice-over = این پرسش دیگر باز نیست. اگر هنوز می‌خواهی‌اش، دوباره بفرست.
choice-expired = { $wait } منتظر انتخابت ماندم و این را کنار گذاشتم. هر وقت خواستی دوباره بفرست.
button-subtitles = زیرنویس: { $language }
button-cut = فقط یک بخش
button-whole = کل ویدئو
button-no-subtitles = بدون زیرنویس
button-back = بازگشت
button-page = صفحهٔ { $number-text }
button-always = همیشه: { $format }
file-card = { $name } · { $size }
file-caption = زیر آن: { $caption }
file-bare = زیر آن: هیچ.
file-as-file = به شکل فایل.
file-as-media = به شکل ویدئو یا آهنگ.
file-how =
    همین‌طور که هست بفرستمش؟ برای تغییر، نام تازه را بنویس، یا ‎/caption و نوشته‌ای که باید زیرش بیاید. { $wait } منتظر می‌مانم.
album-card = { $count ->
   *[other] { $count-text } فایل · { $size }
}
album-caption = زیر اولی: { $caption }
album-how =
    همین‌طور که هستند بفرستمشان؟ اگر زیر اولی نوشتهٔ دیگری می‌خواهی، ‎/caption و آن نوشته را بفرست. { $wait } منتظر می‌مانم.
button-file-send = بفرست
button-file-link = لینک زیرش را بیاور
button-file-bare = بدون نوشته
button-file-words = نوشتهٔ خودش
button-file-same = همان شکل قبلی
button-as-file = به شکل فایل
button-as-media = به شکل ویدئو / آهنگ
choice-languages = کدام زیرنویس همراه ویدئو باشد؟ در پخش‌کننده می‌شود خاموشش کرد.
cut-how = در پاسخ به همین پیام بنویس از کجا تا کجا، مثلاً ⁦1:20-2:35⁩ یا ⁦1:20-⁩ برای همهٔ ادامه‌اش.
cut-bad = متوجه نشدم کدام بخش را می‌خواهی. از کجا تا کجایش را بنویس، مثلاً ⁦1:20-2:35⁩
cut-beyond = طول ویدئو فقط { $length } است. بخشی را بنویس که داخل آن باشد.
language-name = { $tag ->
    [ar] عربی
    [de] آلمانی
    [en] انگلیسی
    [es] اسپانیایی
    [fa] فارسی
    [fr] فرانسوی
    [hi] هندی
    [it] ایتالیایی
    [ja] ژاپنی
    [ko] کره‌ای
    [ku] کردی
    [pt] پرتغالی
    [ru] روسی
    [tr] ترکی
    [ur] اردو
    [zh] چینی
   *[other] { $tag }
}

volume-of = { $name } · تکهٔ { $number-text } از { $count-text }
volume = { $name } · تکهٔ { $number-text }
manifest = { $name } ({ $total }) در یک پیام { $cap } جا نشد و در { $count-text } تکه آمد. تکه‌ها و SHA-256 هر کدام:
manifest-plays = { $name } ({ $total }) در یک پیام { $cap } جا نشد و در { $count-text } تکه آمد که هر کدام جداگانه پخش می‌شود. تکه‌ها و SHA-256 هر کدام:
manifest-volume = { $name } · { $size }
manifest-join = برای داشتن فایل کامل، همهٔ تکه‌ها را در یک پوشه ذخیره کن و همان‌جا به هم بچسبان:
manifest-windows = ویندوز (Command Prompt؛ یا در 7-Zip از منوی File گزینهٔ Combine Files):
manifest-unix = مک و لینوکس (ترمینال):
manifest-android = اندروید: تکهٔ اول را با برنامه‌ای باز کن که فایل‌های ‎.001 را به هم می‌چسباند، یا همان خط بالا را در Termux اجرا کن.
manifest-whole = ‏SHA-256 فایل کامل:
manifest-uncut = این یک ویدئوست، اما نتوانستم آن را طوری ببرم که هر تکه پخش شود.
manifest-settings = اگر چنین فایل‌هایی را نمی‌خواهی: /settings

no-link = در این پیام لینکی نمی‌بینم. لینکی بفرست که با https://‎ شروع شود؛ مثلاً https://example.com/film.mp4
no-such-command = این دستور را نمی‌شناسم. لینک فایلی را برایم بفرست، یا ‎/help را تا ببینی چه کارهایی بلدم.
no-file-asked = هیچ فایلی از تو منتظر نوشته نیست. اول فایل را بفرست، بعد ‎/caption و نوشته را.
bad-link = این لینک به کارم نمی‌آید: { $reason }

not-now = الان نمی‌توانم این کار را بکنم. لطفاً یک دقیقهٔ دیگر دوباره امتحان کن.
put-off = الان نمی‌توانم به پیامت برسم. همین که بتوانم سراغش می‌روم؛ لازم نیست دوباره بفرستی.

queued = { $ahead ->
    [0] پذیرفته شد و همین حالا شروع می‌شود.
   *[other] پذیرفته شد. { $ahead-text } فایل جلوتر از فایل تو در صف است.
}
queued-wait = { $ahead ->
    [0] پذیرفته شد. نوبت بعدی است، حدود { $wait } دیگر.
   *[other] پذیرفته شد. { $ahead-text } فایل جلوتر در صف است؛ حدود { $wait } دیگر شروع می‌شود.
}
queued-own = پذیرفته شد. وقتی یکی از فایل‌های دیگرت برسد شروع می‌شود.
making =
    { $name }
    { $done } دریافت شد. فایلی را که می‌خواهی از آن می‌سازم و بعد می‌فرستم.
preparing =
    { $name }
    { $done } از { $total } دریافت شد. آن را به تکه‌هایی می‌بُرم که هر کدام پخش شود، بعد می‌فرستم.
back = به مدت { $wait } در دسترس نبودم و حالا برگشته‌ام. { $count ->
    [one] کار فایلت ادامه دارد و لازم نیست دوباره بفرستی.
   *[other] کار { $count-text } فایلت ادامه دارد و لازم نیست دوباره بفرستی.
}
opening = دارم فایل را از { $host } می‌خواهم…
uploading =
    { $name }
    { $bar } { $percent }
    { $done } از { $total } · { $speed } در ثانیه · { $eta } مانده
uploading-begun =
    { $name }
    { $bar } { $percent }
    { $done } از { $total }
uploading-unknown =
    { $name }
    تا اینجا { $done } · { $speed } در ثانیه (سایت اندازهٔ فایل را نمی‌گوید)
uploading-unknown-begun =
    { $name }
    تا اینجا { $done } (سایت اندازهٔ فایل را نمی‌گوید)
parked =
    { $name }
    تا اینجا { $done } · در انتظار تلگرام، { $wait }. خودش ادامه پیدا می‌کند.
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
button-again = دوباره امتحان کن

batch-title = { $count ->
   *[other] { $count-text } لینک
}
batch-waiting =
    { $title }
    { $bar } { $count-text } از { $total-text }{ $failed ->
        [0] {""}
       *[other] {" "}· { $failed-text } نشد
    }
batch-ended = { $failed ->
    [0] تمام شد: { $title }. هر { $total-text } فایل رسید.
   *[other] تمام شد: { $title }. { $count-text } از { $total-text } رسید و { $failed-text } نشد.
}
batch-cancelled = لغو شد: { $title }. { $count-text } از { $total-text } رسیده بود.
batch-line-running = ‏▸ { $name }
batch-line-percent = ‏▸ { $name } · { $percent }
batch-line-queued = ‏· { $name }
batch-line-waiting-sponsors = ‏· { $name }
batch-line-cancelled = ‏– { $name }
batch-line-failed = ‏✗ { $name }: { $reason }
batch-line-done = ‏✓ { $name } · { $size }
batch-more = { $count ->
   *[other] … و { $count-text } مورد دیگر
}
batch-report = { $count ->
   *[other] { $title }: { $count-text } از { $total-text } نرسید.
}
left-out-items = { $count ->
   *[other] { $count-text } لینک دیگر کنار گذاشته شد؛ بیش از آن است که یک‌جا می‌آورم. وقتی این‌ها رسید دوباره بفرست.
}
left-out-waiting = { $count ->
   *[other] { $count-text } لینک دیگر کنار گذاشته شد؛ با آنچه از تو در صف است زیاد می‌شود. وقتی آن‌ها رسید دوباره بفرست.
}
left-out-day = { $count ->
   *[other] { $count-text } لینک دیگر کنار گذاشته شد؛ از سهم روزانهٔ هر نفر بیشتر است. فردا دوباره بفرست.
}
left-out-full = { $count ->
   *[other] { $count-text } لینک دیگر کنار گذاشته شد؛ الان فایل‌های خیلی زیادی از همه در صف است. بعداً دوباره بفرست.
}
button-cancel-all = لغو همه
button-again-failed = این‌ها را دوباره امتحان کن

list-count = { $count-text } مورد
list-more = بیش از { $count-text } مورد
list-line = ‏{ $number-text }. { $name }
list-line-length = ‏{ $number-text }. { $name } · { $length }
list-question = کدام‌ها را می‌خواهی؟ دکمه‌ای بزن، یا با شماره‌های ۱ تا { $last-text } جواب بده؛ مثلاً ⁦2-4, 7⁩. دربارهٔ یکی به‌تنهایی مثل هر لینک دیگری می‌پرسم. { $wait } منتظر می‌مانم.
list-bad = نفهمیدم کدام‌ها را می‌خواهی. با شماره‌های ۱ تا { $last-text } جواب بده؛ مثلاً ⁦2-4, 7⁩
button-first = { $count-text } تای اول
button-all = هر { $count-text } تا

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
sponsors-unsure = تلگرام الان نمی‌گوید که عضو { $titles } هستی یا نه. خودم خیلی زود دوباره می‌پرسم.
sponsors-wait =
    لینکت پیش من محفوظ است. { $unsure }

    همین که بدانم عضو هستی، فایلت خودش شروع می‌شود.
sponsors-unknown = تلگرام یک روز تمام نگفت که عضو کانال‌ها هستی یا نه، برای همین این لینک را کنار گذاشتم. هر وقت خواستی دوباره بفرست.
sponsors-expired = تا یک روز عضو کانال‌ها نشدی، برای همین این لینک را کنار گذاشتم. هر وقت خواستی دوباره بفرست.

refused-maintenance = الان در حال سرویس هستم و لینک تازه نمی‌گیرم. فایل‌های پذیرفته‌شده ادامه دارند. لطفاً بعداً دوباره بفرست.
refused-stopping = دارم راه‌اندازی دوباره می‌شوم و چند لحظه لینک تازه نمی‌گیرم. لطفاً یک دقیقهٔ دیگر دوباره بفرست.
refused-too-many = { $count ->
   *[other] { $count-text } فایل در صف داری. وقتی یکی رسید بعدی را بفرست، یا با /cancel لغوشان کن.
}

refused-too-fast = از این تندتر نمی‌توانم لینک بگیرم (هر دقیقه { $count-text } لینک). تا { $wait } چیزی نمی‌خوانم؛ بعد همین را دوباره بفرست.
refused-too-many-calls = پیام‌ها خیلی پشت سر هم است. تا { $wait } چیزی نمی‌خوانم.
refused-day = سهم امروزت تمام شده است. { $wait } دیگر دوباره جا باز می‌شود.
refused-full = الان فایل‌های خیلی زیادی در صف است و نمی‌خواهم قولی بدهم که دیر برسد. لطفاً { $wait } دیگر دوباره بفرست.

reason-not-http = فقط لینک‌هایی که با http://‎ یا https://‎ شروع می‌شوند قابل دریافت‌اند.
reason-malformed = لینک کامل نیست.
    .advice = نشانی را کامل از نوار نشانی مرورگر کپی کن.
reason-private-address = به یک شبکهٔ خصوصی می‌رسد و اجازهٔ ورود به آن را ندارم.
    .advice = لینکی بفرست که برای همه باز شود.
reason-no-such-host = سایتی به این نام وجود ندارد.
    .advice = املای لینک را ببین.
reason-unreachable = سایت پاسخ نمی‌دهد.
    .advice = بعداً دوباره بفرست یا لینک دیگری بده.
reason-timed-out = سایت بیش از حد کند است.
    .advice = بعداً دوباره بفرست یا لینک دیگری بده.
reason-not-found = سایت می‌گوید چنین فایلی نیست.
    .advice = لینک را ببین؛ شاید منقضی شده باشد.
reason-forbidden = سایت این فایل را به من نمی‌دهد. شاید ورود به حساب لازم باشد یا لینک منقضی شده باشد.
reason-site-busy = سایت الان خیلی شلوغ است.
    .advice = بعداً دوباره بفرست.
reason-site-rests = این سایت تازگی برای همه خطا داده است؛ کمی به آن استراحت می‌دهم.
reason-site-broken = سایت هنگام فرستادن فایل خطا داد.
    .advice = بعداً دوباره بفرست یا لینک دیگری بده.
reason-changed = فایل در حین دریافت در خود سایت عوض شد.
    .advice = لینک را دوباره بفرست.
reason-empty = فایل خالی است (۰ بایت) و تلگرام فایل خالی نمی‌گیرد.
reason-too-large = فایل از { $cap } بزرگ‌تر است و در یک پیام جا نمی‌شود.
    .advice = فایل کوچک‌تری بفرست، یا در /settings انتخاب کن که تکه‌تکه بفرستم.
reason-too-many-volumes = فایل حتی برای تکه‌های { $cap } هم بیش از حد بزرگ است.
    .advice = فایل کوچک‌تری بفرست.
reason-no-media = در این صفحه نه فایلی پیدا کردم و نه ویدئویی.
    .advice = لینک خود ویدئو را بفرست.
reason-no-sound = این ویدئو صدایی ندارد که جداگانه بفرستم.
reason-out-of-range = بخشی که می‌خواهی بعد از پایان ویدئو است.
    .advice = بخش زودتری را انتخاب کن.
reason-playlist = این خودش یک فهرست است.
    .advice = لینکش را تنها بفرست تا از آن انتخاب کنی.
reason-live = این پخش زنده است و پایانی ندارد که منتظرش بمانم.
    .advice = وقتی تمام شد دوباره بفرست.
reason-upcoming = این هنوز شروع نشده است.
    .advice = وقتی منتشر شد دوباره بفرست.
reason-needs-login = سایت این را فقط به کسانی نشان می‌دهد که وارد حسابشان شده‌اند.
reason-geo-blocked = سایت این را در کشوری که من هستم نشان نمی‌دهد.
reason-paid = سایت برای این پول می‌خواهد و من نمی‌توانم پرداخت کنم.
reason-not-live = این کانال الان چیزی پخش نمی‌کند.
    .advice = لینک یکی از ویدئوهایش را بفرست.
reason-robot = سایت مرا ربات می‌داند و فعلاً جوابم را نمی‌دهد. مدتی سراغش نمی‌روم.
reason-set-up = الان نمی‌توانم این ویدئو را از سایت بگیرم: چیزی سمت من کم است و مدیرانم خبر دارند.
reason-drm = این محتوا قفل کپی دارد و نمی‌توانم بیاورمش.
reason-not-visible = آن پیام تلگرام را نمی‌بینم.
    .advice = خود پیام را برایم فوروارد کن، یا مرا عضو کانالش کن.
reason-no-file = در آن پیام تلگرام فایلی نیست.
reason-message-gone = پیامی که فایل در آن بود دیگر نیست.
    .advice = فایل را دوباره بفرست.
reason-protected = آن گفتگوی تلگرام اجازه نمی‌دهد کسی فایل‌هایش را به دیگران بدهد.
reason-crowded = الان خیلی‌ها در صف‌اند و سایت این فایل را کند می‌فرستد؛ اول نوبت بقیه است.
reason-no-room = الان جایی برای این فایل ندارم.
    .advice = بعداً دوباره بفرست.
reason-waited-too-long = بیش از یک روز در صف ماند.
    .advice = وقتی سرم خلوت‌تر شد دوباره امتحان کن.
reason-telegram-waits = تلگرام خواسته پیش از فرستادن فایل‌های بعدی کمی صبر کنم.
reason-upload-failed = تلگرام فایل را نگرفت.
    .advice = چند دقیقهٔ دیگر لینک را دوباره بفرست.
reason-chat-unreachable = نتوانستم در این گفتگو پیام بگذارم.
reason-internal = چیزی در سمت من خراب شد.
    .advice = لینک را دوباره بفرست؛ اگر باز هم تکرار شد، شمارهٔ { $job } را به مدیران بگو.

maintenance-usage = حالت سرویس { $on ->
    [0] خاموش است. روشن‌کردن: ‎/maintenance on
   *[other] روشن است. خاموش‌کردن: ‎/maintenance off
}
maintenance-on = حالت سرویس روشن شد: لینک تازه پذیرفته نمی‌شود. فایل‌های پذیرفته‌شده ادامه دارند.
maintenance-off = حالت سرویس خاموش شد: لینک‌ها دوباره پذیرفته می‌شوند.
status =
    { $running-text } در حال انجام · { $queued-text } در صف
    { $choosing-text } منتظر انتخاب · { $waiting-text } منتظر عضویت
    { $done-text } تحویل‌شده · { $failed-text } ناموفق · { $cancelled-text } لغوشده
    حالت سرویس: { $maintenance ->
        [0] خاموش
       *[other] روشن
    }
failed-line = { $count-text } × { $reason }
    { $hosts } · آخرین کار { $job }
failed-none = در یک روز گذشته هیچ کاری ناموفق نبوده است.
status-transfer = { $name } · { $percent } · { $speed } در ثانیه
status-transfer-begun = { $name } · { $percent }
sites-none = هیچ سایتی در استراحت نیست: همه پاسخ داده‌اند.
sites-line = { $site }: پشت سر هم { $count-text } بار خطا داد، { $wait } دیگر دوباره امتحان می‌شود
sites-trying = { $site }: کار بعدی امتحان می‌کند که درست شده یا نه
cookies-usage =
    با کوکی به سایت‌هایی راه پیدا می‌کنم که ورود می‌خواهند. یک cookies.txt از یک سایت (قالب Netscape) را به‌صورت فایل بفرست و زیرش بنویس:
    ‎/cookies add – یا ‎/cookies add site.com
    آن را برمی‌دارم، رمز می‌کنم و پیامت را پاک می‌کنم.
    ‎/cookies – فهرست
    ‎/cookies remove 3، ‎/cookies restore 3
cookies-none = کوکی‌ای نیست. با ‎/cookies add زیر یک فایل اضافه کن.
cookies-line-good = { $number }: { $site }، { $count-text } کوکی
cookies-line-rejected = { $number }: { $site }، { $count-text } کوکی، تازگی رد شده
cookies-line-quarantined = { $number }: { $site }، { $count-text } کوکی، رد شده: دیگر استفاده نمی‌شود
cookies-added = با شمارهٔ { $number } رمز شد: { $count-text } کوکی از { $site }. اگر پیام فایل هنوز هست، خودت پاکش کن.
cookies-removed = کوکی‌های { $number } حذف شد.
cookies-restored = کوکی‌های { $number } دوباره استفاده می‌شود.
cookies-unknown = کوکی { $number } وجود ندارد. فهرست: ‎/cookies
cookies-refused-size = این فایل برای کوکی بیش از حد بزرگ است. چیزی از آن نگه داشته نشد.
cookies-refused-binary = این فایل متنی نیست. چیزی از آن نگه داشته نشد.
cookies-refused-format = این cookies.txt با قالب Netscape نیست (هفت بخش در هر خط، با tab). چیزی از آن نگه داشته نشد.
cookies-refused-empty = در این فایل کوکی‌ای نیست.
cookies-refused-expired = همهٔ کوکی‌های این فایل منقضی شده‌اند. در سایت وارد شو و دوباره خروجی بگیر.
cookies-refused-site = این نام یک سایت نیست. این‌طور بنویس: ‎/cookies add site.com
cookies-refused-foreign = این فایل کوکی سایت‌های دیگر ({ $sites }) را هم دارد. برای هر سایت یک فایل جدا بفرست. چیزی از آن نگه داشته نشد.
cookies-alert = سایت { $site } دیگر کوکی‌های { $number } را نمی‌پذیرد و استفاده‌شان نمی‌کنم: آنجا دوباره وارد شو، فایل تازه را با ‎/cookies add بفرست و ‎/cookies remove { $number } را بزن.
lock-usage =
    روش استفاده:
    ‏/lock – فهرست
    ‏/lock add @channel – افراد پیش از دریافت خدمت عضو این کانال می‌شوند (اول مرا مدیر آن کانال کن)
    ‏/lock remove @channel
lock-none = هیچ کانال حامی ثبت نشده است. افزودن: ‎/lock add @channel
lock-line = { $title } ({ $name }): { $asked-text } نفر خواسته شد، { $joined-text } نفر عضو شد
lock-open = قفلش برای همه باز است: { $cause }
lock-added = افزوده شد: از این پس افراد اول عضو { $title } ({ $username }) می‌شوند.
lock-exists = { $title } ({ $username }) از قبل در فهرست حامیان است.
lock-removed = برداشته شد: { $title } ({ $username }).
lock-unknown = ‏{ $username } در فهرست حامیان نیست. فهرست: /lock
lock-not-found = کانال عمومی { $username } وجود ندارد.
lock-not-admin = نمی‌توانم اعضای { $username } را ببینم. مرا مدیر آن کانال کن و دوباره امتحان کن.
alert-carrier = حساب { $name } تا { $wait } فایلی نمی‌برد: { $cause }
alert-lock-open = { $cause ->
    [NO_PUBLIC_NAME] کانال { $title } دیگر نام عمومی ندارد و نمی‌شود کسی را به آن فرستاد. قفلش باز است و همه بدون عضویت سرویس می‌گیرند. نام عمومی برایش بگذار، یا: ‎/lock remove { $name }
   *[other] دیگر نمی‌توانم اعضای { $title } را ببینم ({ $cause }). قفلش باز است و همه بدون عضویت سرویس می‌گیرند. دوباره مرا مدیر آن کن، یا: ‎/lock remove { $name }
}
alert-lock-works = قفل { $title } دوباره کار می‌کند.
alert-missing = حساب { $name } قابل استفاده نیست: { $cause }. بدون آن ادامه می‌دهم؛ درستش کن و بعد مرا دوباره راه بینداز.
alert-media = { $own ->
    [1] yt-dlp نسخهٔ { $left } پی‌درپی خراب شد. حالا نسخهٔ خودم را به کار می‌برم.
   *[other] yt-dlp نسخهٔ { $left } پی‌درپی خراب شد. حالا مثل قبل { $used } را به کار می‌برم.
}
alert-robot = { $site } مرا ربات می‌داند. فعلاً سراغش نمی‌روم و لینک‌هایش منتظر می‌مانند. کوکی حسابی در آن سایت (⁦/cookies⁩) یا نشانی اینترنتی دیگری برای من کمک می‌کند.
alert-set-up = نمی‌توانم از { $site } ویدئو بگیرم: چیزی که لازم دارد روی دستگاهم نیست یا قدیمی است. روی دستگاه من ⁦run.py media status⁩ می‌گوید چه هست و ⁦run.py media update⁩ نسخهٔ تازهٔ yt-dlp را می‌آورد.
alert-premium = حساب { $name } دیگر فایل بزرگ‌تر از { $cap } نمی‌برد: { $cause }. چنین فایل‌هایی تکه‌تکه می‌روند.

unit-b = { $n } بایت
unit-kib = { $n } کیلوبایت
unit-mib = { $n } مگابایت
unit-gib = { $n } گیگابایت
time-s = { $n } ثانیه
time-min = { $n } دقیقه
time-h = { $n } ساعت

command-start = شروع
command-help = چه کارهایی از من برمی‌آید
command-settings = از ویدئوها و فایل‌های خیلی بزرگ چه بیاورم
command-cancel = توقف همهٔ کارهای من
command-status = الان چه خبر است
command-failed = چه چیزهایی امروز نشد و چرا
command-maintenance = مدتی لینک تازه نگرفتن
command-lock = کانال‌هایی که باید اول عضوشان شد
command-sites = سایت‌هایی که بعد از خطا استراحت می‌کنند
command-cookies = ورودها برای سایت‌هایی که ورود می‌خواهند

# Under a delivered film or song; the fields are those of PEYK_CAPTION
caption =
    {"{title:bold}"}
    {"{duration}"} · {"{size}"}

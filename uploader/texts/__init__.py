"""What people read, in English and Persian: Fluent files, one per language.

Arguments stand between Unicode isolates (U+2068, U+2069), so that `video.mp4` stays readable inside
Persian text. Fluent writes no Persian digits for "fa", so numbers are put into words of the language
here. https://projectfluent.org/fluent/guide/
"""

from importlib.resources import files
from typing import Final

from fluent.runtime import FluentBundle, FluentResource

from uploader.limits import MIB
from uploader.quoting import Said, quoted

LANGUAGES: Final = ("en", "fa")
_PERSIAN_DIGITS: Final = str.maketrans("0123456789.%", "۰۱۲۳۴۵۶۷۸۹٫٪")
_BAR_CELLS: Final = 12
#: Of an account without Premium: https://core.telegram.org/api/config#upload-max-fileparts-default
CAP_BYTES: Final = 2000 * MIB


class Texts:
    """Every text of the bot, by language and key."""

    def __init__(self, default_language: str, cap_bytes: int = CAP_BYTES) -> None:
        """`cap_bytes`: the most that fits into one message."""
        self._default = default_language
        self.cap_bytes = cap_bytes
        self._bundles = {language: _bundle(language) for language in LANGUAGES}

    def language_of(self, telegram_code: str | None) -> str:
        """The language to speak with a person whose client says `telegram_code` (such as "fa-IR")."""
        code = (telegram_code or "").lower().partition("-")[0]
        return code if code in LANGUAGES else self._default

    def get(self, language: str, key: str, /, **arguments: str | int) -> Said:
        """The text `key` with its arguments; "key.attribute" is an attribute of it.

        A number `n` is given to the text twice: as `$n`, to choose a plural, and as `$n-text`, in the
        language's digits. What is not `Said` by us (file names, titles, hosts) is quoted: see `quoting`.

        Raises:
            KeyError: no such text, or an argument is missing.
        """
        shown: dict[str, str | int] = dict(arguments)
        for name, value in arguments.items():
            if isinstance(value, int):
                shown[f"{name}-text"] = self.digits(language, str(value))
            else:
                shown[name] = quoted(value)
        bundle, (name, _, attribute) = self._bundles[language], key.partition(".")
        message = bundle.get_message(name)
        pattern = message.attributes[attribute] if attribute else message.value
        text, errors = bundle.format_pattern(pattern, shown)
        if errors:
            raise KeyError(f"{key}: {errors[0]}")
        return Said(text)

    def has_advice(self, key: str) -> bool:
        """Whether a text says also what its reader can do: as "key.advice"."""
        return "advice" in self._bundles[self._default].get_message(key).attributes

    def digits(self, language: str, number: str) -> Said:
        """A formatted number in the language's digits."""
        return Said(number.translate(_PERSIAN_DIGITS) if language == "fa" else number)

    def size(self, language: str, size_bytes: float) -> Said:
        """A size in the largest unit that leaves a whole part; up to 2000 MiB in MiB, as the cap is."""
        unit, number = "b", size_bytes
        for larger in ("kib", "mib", "gib"):
            if number < 1024 or (larger == "gib" and number <= 2000):
                break
            unit, number = larger, number / 1024
        whole = unit == "b" or number >= 100 or number == int(number)
        return self.get(language, f"unit-{unit}", n=self.digits(language, f"{number:.{0 if whole else 1}f}"))

    def cap(self, language: str) -> Said:
        """The most that fits into one message."""
        return self.size(language, self.cap_bytes)

    def duration(self, language: str, seconds: float) -> Said:
        """A duration in one unit, rounded up: nobody is promised less than it takes."""
        for unit, length_s in (("h", 3600), ("min", 60)):
            if seconds > 1.5 * length_s:
                return self.get(
                    language, f"time-{unit}", n=self.digits(language, str(-int(-seconds // length_s)))
                )
        return self.get(language, "time-s", n=self.digits(language, str(max(1, -int(-seconds // 1)))))

    def clock(self, language: str, seconds: float) -> Said:
        """The length of a film as players show it: 1:02:03."""
        minutes, rest_s = divmod(max(1, round(seconds)), 60)
        hours, minutes = divmod(minutes, 60)
        shown = f"{hours}:{minutes:02}:{rest_s:02}" if hours else f"{minutes}:{rest_s:02}"
        return self.digits(language, shown)

    def percent(self, language: str, part: int, whole: int) -> Said:
        """How much of `whole` is done, never 100 % before it is."""
        return self.digits(language, f"{part * 100 // whole if whole else 100}%")


def bar(part: int, whole: int) -> Said:
    """A progress bar of text."""
    filled = part * _BAR_CELLS // whole if whole else _BAR_CELLS
    return Said("▰" * filled + "▱" * (_BAR_CELLS - filled))


def _bundle(language: str) -> FluentBundle:
    bundle = FluentBundle([language])
    source = files("uploader.texts").joinpath(f"{language}.ftl").read_text(encoding="utf-8")
    bundle.add_resource(FluentResource(source))
    return bundle

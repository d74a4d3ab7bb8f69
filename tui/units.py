"""Bytes and seconds as people read them. Pure."""

import math


def size(size_bytes: float | None) -> str:
    """`734 B`, `1.95 GiB`, `256 MiB`: three digits; `?` when unknown."""
    if size_bytes is None:
        return "?"
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1023.5:
            return f"{_short(value)} {unit}"
        value /= 1024
    return f"{_short(value)} TiB"


def speed(speed_bytes_s: float) -> str:
    """`12.4 MiB/s`; nothing at all while nothing moves."""
    return f"{size(speed_bytes_s)}/s" if speed_bytes_s >= 1 else ""


def duration(seconds: float) -> str:
    """The two largest units: `4 s`, `2 min 05 s`, `3 h 12 min`, `4 d 3 h`."""
    whole = max(0, math.floor(seconds))
    minutes, left_s = divmod(whole, 60)
    hours, left_min = divmod(minutes, 60)
    days, left_h = divmod(hours, 24)
    if days:
        return f"{days} d {left_h} h"
    if hours:
        return f"{hours} h {left_min:02} min"
    if minutes:
        return f"{minutes} min {left_s:02} s"
    return f"{whole} s"


def brief(seconds: float) -> str:
    """The largest unit alone, for narrow columns: `4 s`, `2 min`, `3 h`, `4 d`."""
    parts = duration(seconds).split(" ")
    return " ".join(parts[:2])


def percent(done: float, total: float | None) -> str:
    """`62 %`; full only when all is done, nothing when the whole is unknown."""
    if total is None:
        return ""
    return "100 %" if done >= total else f"{min(99, math.floor(100 * done / total))} %"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"

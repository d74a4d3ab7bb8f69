"""Which ffmpeg is used."""

import os
from importlib.resources import files
from pathlib import Path
from shutil import which


def program() -> str:
    """The one that `IMAGEIO_FFMPEG_EXE` names, else the wheel's own, else the system's.

    imageio_ffmpeg would tell as well, but it first runs the program, in our own environment.
    """
    wheels = sorted(Path(str(files("imageio_ffmpeg"))).glob("binaries/ffmpeg-*"))
    found = os.environ.get("IMAGEIO_FFMPEG_EXE") or next(map(str, wheels), None) or which("ffmpeg")
    return found or "/usr/bin/ffmpeg"

"""Films and music behind pages: yt-dlp, ffmpeg and PyAV, each in a child process that can be killed."""

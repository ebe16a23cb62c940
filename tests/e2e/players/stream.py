"""A short match to play: a test card and a tone, made by ffmpeg as CMAF with an HLS and a DASH manifest."""

import subprocess
from pathlib import Path

LOW_KBPS = 300
HIGH_KBPS = 900
SECONDS = 40
SEGMENT_SECONDS = 2


def make_stream(folder: Path) -> None:
    """Write `master.m3u8`, `manifest.mpd` and their segments: two video renditions and one of audio; and `match.mp4`,
    one file for browsers alone.
    """
    inputs = ["-f", "lavfi", "-i", "testsrc=size=640x360:rate=25", "-f", "lavfi", "-i", "sine=frequency=440"]
    streams = ["-map", "0:v", "-map", "0:v", "-map", "1:a", "-t", str(SECONDS)]
    video = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-sc_threshold", "0"]
    key_frames = ["-g", str(25 * SEGMENT_SECONDS), "-keyint_min", str(25 * SEGMENT_SECONDS)]
    audio = ["-c:a", "aac", "-b:a", "64k", "-ac", "1"]
    cmaf = ["-f", "dash", "-hls_playlist", "1", "-seg_duration", str(SEGMENT_SECONDS), "-use_timeline", "0"]
    sets = ["-adaptation_sets", "id=0,streams=v id=1,streams=a"]
    command = [
        *["ffmpeg", "-nostdin", "-loglevel", "error"],
        *inputs,
        *streams,
        *video,
        *key_frames,
        *_rendition(0, LOW_KBPS, "320x180"),
        *_rendition(1, HIGH_KBPS, "640x360"),
        *audio,
        *cmaf,
        *sets,
        str(folder / "manifest.mpd"),
    ]
    plain = [*audio, "-movflags", "+faststart", str(folder / "match.mp4")]
    subprocess.run(command, check=True, timeout=120)
    subprocess.run([*_of_one_rendition(inputs), *plain], check=True, timeout=120)


def _of_one_rendition(inputs: list[str]) -> list[str]:
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", *inputs, "-t", str(SECONDS)]
    return [*command, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-s", "320x180", "-g", "25"]


def _rendition(number: int, kbps: int, size: str) -> list[str]:
    rate = f"{kbps}k"
    names = (f"-b:v:{number}", f"-maxrate:v:{number}", f"-bufsize:v:{number}")
    return [part for name in names for part in (name, rate)] + [f"-s:v:{number}", size]

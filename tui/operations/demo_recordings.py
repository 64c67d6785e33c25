"""The music and the films of the demonstration library: chords made by arithmetic, slow pans over drawn pictures.

ffmpeg, where it is there, makes FLAC, MP3, M4A, Opus and films of them; without it the songs are WAV files and there
are no films.
"""

from __future__ import annotations

import array
import io
import math
import os
import shutil
import subprocess
import sys
import wave
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLE_RATE = 11_025
"""Hz of the generated sounds."""

_TIMEOUT_S = 120.0


class RecordingError(Exception):
    """A song or film could not be made; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Song:
    """One song.

    Attributes:
        path: below the folder of the demo, the extension decides the format (WAV without ffmpeg).
        title: title.
        artist: artist, also of the album.
        album: album.
        track: number, and how many there are (`2/4`).
        genre: genre.
        year: year of release.
        bpm: beats a minute.
        key: musical key as disc jockeys write it (`8A`).
        chords: root notes as semitones above A3, one a bar.
    """

    path: str
    title: str
    artist: str
    album: str
    track: str
    genre: str
    year: int
    bpm: int
    key: str
    chords: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Film:
    """One film: a pan over a drawn scene, with a chord.

    Attributes:
        path: below the folder of the demo.
        scene: what is drawn (`demo_drawings.draw_scene`).
        light: in which light.
        taken: UTC, `YYYY-MM-DDTHH:MM:SSZ`.
        position: ISO 6709, such as `+38.7139-009.1394/`, "" for none.
        title: title.
        seconds: length.
    """

    path: str
    scene: str
    light: str
    taken: str
    position: str
    title: str
    seconds: int


_HARBOUR, _NORTH, _CLUB = (
    "Music/The Lanterns/Harbour Songs/",
    "Music/Ása/Norðurljós/",
    "Music/Various/Night Shift/",
)

SONGS = (
    Song(f"{_HARBOUR}01 Slack Water.flac", "Slack Water", "The Lanterns", "Harbour Songs", "1/3", "Folk", 2014, 84, "8B", (0, 5, 7, 0)),
    Song(f"{_HARBOUR}02 Low Light.flac", "Low Light", "The Lanterns", "Harbour Songs", "2/3", "Folk", 2014, 92, "9B", (7, 2, 0, 7)),
    Song(f"{_HARBOUR}03 Ropes.flac", "Ropes", "The Lanterns", "Harbour Songs", "3/3", "Folk", 2014, 76, "7A", (-3, 0, 5, -3)),
    Song(f"{_NORTH}01 Vetur.m4a", "Vetur", "Ása", "Norðurljós", "1/2", "Ambient", 2020, 60, "5A", (-2, 3, 1, -2)),
    Song(f"{_NORTH}02 Sumar.m4a", "Sumar", "Ása", "Norðurljós", "2/2", "Ambient", 2020, 66, "6B", (3, 8, 10, 3)),
    Song(f"{_CLUB}01 Concrete.mp3", "Concrete", "Quay 9", "Night Shift", "1/4", "Techno", 2022, 128, "8A", (0, 0, 3, -2)),
    Song(f"{_CLUB}02 Fog Horn.mp3", "Fog Horn", "Quay 9", "Night Shift", "2/4", "Techno", 2022, 132, "3A", (-4, -4, 1, -1)),
    Song(f"{_CLUB}03 Last Tram [Live].mp3", "Last Tram [Live]", "Marés", "Night Shift", "3/4", "House", 2022, 122, "10B", (2, 9, 7, 2)),
    Song(f"{_CLUB}04 Dawn Chorus.opus", "Dawn Chorus", "Marés", "Night Shift", "4/4", "House", 2022, 118, "11B", (9, 4, 2, 9)),
)  # fmt: skip
"""All songs, album by album."""

FILMS = (
    Film("Videos/2019 Lisbon/MVI_1010.MP4", "sea", "coast", "2019-07-03T17:30:00Z", "+38.7139-009.1394/", "Waves", 4),
    Film("Videos/2021 Zermatt/DJI_0040.MOV", "mountains", "snow", "2021-09-12T13:05:00Z", "+45.9763+007.6586/", "Over the ridge", 5),
    Film("Videos/2023 京都/lanterns.mkv", "city", "night", "2023-04-03T11:40:00Z", "", "Lanterns at night", 3),
)  # fmt: skip
"""All films."""


def find_ffmpeg() -> str | None:
    """Return the path of ffmpeg, None where it is not installed."""
    return shutil.which("ffmpeg")


def make_song(song: Song, target: str, ffmpeg: str | None) -> None:
    """Write one song with its tags.

    Args:
        song: what to play.
        target: path to write, with the extension of its format.
        ffmpeg: path of ffmpeg; may be None if `target` ends in `.wav`.

    Raises:
        RecordingError: ffmpeg failed.
        OSError: the file cannot be written.
    """
    sound = play(song)
    if target.endswith(".wav"):
        with open(target, "xb") as file:
            file.write(sound)
    else:
        _run([ffmpeg or "ffmpeg", "-f", "wav", "-i", "-", *_sound_options(target)], target, sound)
    _tag_song(song, target)


def make_film(film: Film, target: str, ffmpeg: str, seed: int) -> None:
    """Write one film with its time and position.

    Raises:
        RecordingError: ffmpeg failed.
    """
    from tui.operations.demo_drawings import draw_scene

    picture = io.BytesIO()
    draw_scene(film.scene, film.light, seed).save(picture, "PNG", compress_level=1)
    pan = f"crop=960:540:x='(iw-960)*t/{film.seconds}':y=130,scale=640:360,format=yuv420p"
    facts = {"title": film.title, "creation_time": film.taken, "location": film.position}
    metadata = [part for name, value in facts.items() if value for part in ("-metadata", f"{name}={value}")]
    _run(
        [
            *(ffmpeg, "-f", "image2pipe", "-framerate", "24", "-loop", "1", "-i", "-"),
            *("-f", "lavfi", "-i", "sine=frequency=220", "-t", str(film.seconds), "-vf", pan, *metadata),
        ],
        target,
        picture.getvalue(),
    )


def play(song: Song, seconds: float = 8.0) -> bytes:
    """Return the song as a WAV file: a broken chord over each root, in the song's tempo."""
    beat = round(SAMPLE_RATE * 60 / song.bpm / 2)
    notes = [root + step for root in song.chords for step in (0, 7, 12, 16)]
    sounds = {note: _pluck(220 * 2 ** (note / 12), beat) for note in set(notes)}
    samples = array.array("h")
    for note in cycle(notes):
        samples.extend(sounds[note])
        if len(samples) >= seconds * SAMPLE_RATE:
            break
    if sys.byteorder == "big":
        samples.byteswap()
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def _pluck(frequency_hz: float, length: int) -> array.array[int]:
    """Return `length` samples of a string that fades away."""
    pitch, fade = math.tau * frequency_hz / SAMPLE_RATE, -3.0 / length
    tone = (math.sin(pitch * at) + 0.3 * math.sin(2 * pitch * at) for at in range(length))
    return array.array("h", [int(9000 * math.exp(fade * at) * value) for at, value in enumerate(tone)])


def _sound_options(target: str) -> list[str]:
    return ["-ar", "44100"] if target.endswith(".flac") else ["-ar", "48000", "-b:a", "96k"]


def _tag_song(song: Song, target: str) -> None:
    """Write the tags that players know, in the way of each format."""
    import mutagen
    from mutagen.easyid3 import EasyID3

    texts: Any = EasyID3  # mutagen's functions have no types
    texts.RegisterTextKey("initialkey", "TKEY")
    tags = {
        "title": song.title, "artist": song.artist, "albumartist": song.artist, "album": song.album,
        "tracknumber": song.track, "genre": song.genre, "date": str(song.year), "bpm": str(song.bpm), "initialkey": song.key,
    }  # fmt: skip
    if target.endswith(".wav"):
        _tag_wav(tags, target)
        return
    file = mutagen.File(target, easy=True)
    if file is None:
        raise RecordingError("what ffmpeg made cannot be tagged")
    if target.endswith(".m4a"):
        del tags["initialkey"]  # the format has no field for it
    for name, value in tags.items():
        file[name] = value
    file.save()


def _tag_wav(tags: dict[str, str], target: str) -> None:
    from mutagen import id3, wave

    frames = {
        "title": "TIT2", "artist": "TPE1", "albumartist": "TPE2", "album": "TALB", "tracknumber": "TRCK",
        "genre": "TCON", "date": "TDRC", "bpm": "TBPM", "initialkey": "TKEY",
    }  # fmt: skip
    container: Any = wave.WAVE
    file = container(target)
    file.add_tags()
    for name, frame in frames.items():
        file.tags.add(getattr(id3, frame)(encoding=3, text=tags[name]))
    file.save()


def _run(command: Sequence[str], target: str, content: bytes) -> None:
    """Run ffmpeg on `content`, writing the new file `target`."""
    program, *arguments = command
    words = [program, "-hide_banner", "-loglevel", "error", *arguments, "-n", target]
    try:
        done = subprocess.run(words, input=content, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RecordingError(f"ffmpeg: {error}") from error
    if done.returncode or not os.path.exists(target):
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RecordingError(f"ffmpeg: {lines[-1] if lines else f'exit code {done.returncode}'}")

"""Tags of films with family 1 groups (`Track1:ImageWidth`, `Keys:Make`) under the names of family 0.

Under family 0 alone ExifTool prints one value of what every track says, the last one's: the rotation and the codec of a
film are then those of its sound. Source: ExifTool documentation, "-G"; seen with 12.57.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.scan.normalize.values import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_FAMILY_0 = {
    "IFD0": "EXIF",
    "ExifIFD": "EXIF",
    "GPS": "EXIF",
    "System": "File",
    "Keys": "QuickTime",
    "ItemList": "QuickTime",
    "UserData": "QuickTime",
    "Meta": "QuickTime",
    "iTunes": "QuickTime",
    "Canon": "MakerNotes",
    "Casio": "MakerNotes",
    "GoPro": "MakerNotes",
    "Kodak": "MakerNotes",
    "Nikon": "MakerNotes",
    "Olympus": "MakerNotes",
    "Panasonic": "MakerNotes",
    "Pentax": "MakerNotes",
    "Samsung": "MakerNotes",
    "Sony": "MakerNotes",
}
_VIDEO_TYPES = frozenset(("vide", "1"))
_SOUND_TYPES = frozenset(("soun", "2"))


def merge_groups(tags: Mapping[str, object]) -> Mapping[str, object]:
    """Return `tags` with family 0 groups; the first picture track counts for pictures, the first sound track for sound.

    Tags that have family 0 groups already come back as they are.
    """
    merged: dict[str, object] = {}
    tracks: dict[str, dict[str, object]] = {}
    for key, value in tags.items():
        group, _, tag = key.partition(":")
        if group.startswith("Track") and tag:
            tracks.setdefault(group, {})[tag] = value
        elif group.startswith("XMP-"):
            merged.setdefault(f"XMP:{tag}", value)
        else:
            merged.setdefault(f"{_FAMILY_0.get(group, group)}:{tag}" if tag else key, value)
    if not tracks:
        return merged
    container = "Matroska" if "Matroska:DocType" in tags else "QuickTime"
    pictures = [track for track in tracks.values() if _type_of(track) in _VIDEO_TYPES]
    sounds = [track for track in tracks.values() if _type_of(track) in _SOUND_TYPES]
    if pictures and "CodecID" in pictures[0]:
        merged["Matroska:VideoCodecID"] = pictures[0]["CodecID"]
    merged.update(
        (f"{container}:{tag}", value) for tag, value in (pictures or [{}])[0].items() if tag != "HandlerType"
    )
    for track in (*sounds[:1], *tracks.values()):
        for tag, value in track.items():
            merged.setdefault(f"{container}:{tag}", value)
    return merged


def _type_of(track: Mapping[str, object]) -> str:
    return read_text(track.get("HandlerType", track.get("TrackType"))) or ""

"""Where it was taken: signed degrees and metres, out of what ExifTool says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.scan.normalize.values import read_number, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOWEST_M, _HIGHEST_M = -12_000, 1_000_000
_BELOW_SEA_LEVEL = (1, 3)  # of the ellipsoid and of the sea (Exif 3.0, GPSAltitudeRef)
_DECIMALS = 7  # a centimetre


def read_position(tags: Mapping[str, object]) -> tuple[float | None, float | None]:
    """Return latitude and longitude in degrees, north and east positive; both None where there is no position.

    EXIF has unsigned values with a tag for the hemisphere, XMP and QuickTime signed ones. (0, 0) is what devices write
    that do not know where they are.
    """
    for group in ("EXIF", "XMP", "H264", "MakerNotes"):
        if f"{group}:GPSLatitude" in tags and (position := _read_pair(tags, group)):
            return position
    coordinates = tags.get("QuickTime:GPSCoordinates")
    if isinstance(coordinates, str) and len(parts := coordinates[:100].split()) > 1:
        return _check(read_number(parts[0]), read_number(parts[1])) or (None, None)
    return None, None


def _read_pair(tags: Mapping[str, object], group: str) -> tuple[float, float] | None:
    latitude = _turn(tags.get(f"{group}:GPSLatitude"), tags.get(f"{group}:GPSLatitudeRef"), "S")
    longitude = _turn(tags.get(f"{group}:GPSLongitude"), tags.get(f"{group}:GPSLongitudeRef"), "W")
    return _check(latitude, longitude)


def _turn(value: object, hemisphere: object, negative: str) -> float | None:
    """Return degrees with the sign of their hemisphere; a value that has a sign already keeps it."""
    degrees = read_number(value)
    if (
        degrees is not None
        and degrees > 0
        and isinstance(hemisphere, str)
        and hemisphere[:1].upper() == negative
    ):
        return -degrees
    return degrees


def _check(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    if latitude is None or longitude is None or not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    if latitude == 0 and longitude == 0:
        return None
    return round(float(latitude), _DECIMALS), round(float(longitude), _DECIMALS)


def read_altitude(tags: Mapping[str, object]) -> float | None:
    """Return metres above the level of the sea, negative below."""
    metres = read_number(tags.get("EXIF:GPSAltitude"))
    if metres is not None:
        if read_number(tags.get("EXIF:GPSAltitudeRef")) in _BELOW_SEA_LEVEL:
            metres = -abs(metres)
    elif "XMP:GPSAltitude" in tags:
        metres = read_number(tags["XMP:GPSAltitude"])
        if metres is not None and read_number(tags.get("XMP:GPSAltitudeRef")) in _BELOW_SEA_LEVEL:
            metres = -abs(metres)
    else:
        metres = _altitude_of_coordinates(tags.get("QuickTime:GPSCoordinates"))
    return round(float(metres), 2) if metres is not None and _LOWEST_M <= metres <= _HIGHEST_M else None


def _altitude_of_coordinates(coordinates: object) -> float | None:
    text = read_text(coordinates, 100) if isinstance(coordinates, str) else None
    parts = text.split() if text else []
    return read_number(parts[2]) if len(parts) > 2 else None

"""Pictures: camera, position, size, orientation, words, out of ExifTool's tags."""

from __future__ import annotations

from typing import Any

import pytest

from tui.records import Kind, Metadata
from tui.scan.normalize.exiftool import metadata_from_exiftool


def normalize(tags: dict[str, Any], kind: Kind = Kind.IMAGE, size: int = 1_000_000) -> Metadata:
    return metadata_from_exiftool(tags, path=b"/x/x.jpg", kind=kind, size=size, mtime_ns=0)


def test_nothing_said_is_nothing_known() -> None:
    assert normalize({}) == Metadata()


def test_camera_picture() -> None:
    metadata = normalize(
        {
            "File:MIMEType": "image/jpeg",
            "File:FileType": "JPEG",
            "File:ImageWidth": "6720",
            "File:ImageHeight": "4480",
            "EXIF:Make": "Canon",
            "EXIF:Model": "Canon EOS 5D Mark IV   ",
            "EXIF:Orientation": "6",
            "EXIF:ExposureTime": "0.0003125",
            "EXIF:FNumber": "2.8",
            "EXIF:ISO": "800",
            "EXIF:FocalLength": "50",
            "EXIF:LensModel": "EF50mm f/1.4 USM",
            "EXIF:DateTimeOriginal": "2019:07:03 18:22:11",
        }
    )

    assert metadata == Metadata(
        mime="image/jpeg",
        container="JPEG",
        width=6720,
        height=4480,
        make="Canon",
        model="Canon EOS 5D Mark IV",
        orientation=6,
        exposure=0.0003125,
        f_number=2.8,
        iso=800,
        focal_length=50.0,
        lens="EF50mm f/1.4 USM",
        taken_local="2019-07-03T18:22:11",
        date_source="EXIF:DateTimeOriginal",
    )


@pytest.mark.parametrize(
    ("tags", "position"),
    [
        (
            {"GPSLatitude": 38.7, "GPSLatitudeRef": "N", "GPSLongitude": 9.1, "GPSLongitudeRef": "W"},
            (38.7, -9.1),
        ),
        (
            {"GPSLatitude": "33.8", "GPSLatitudeRef": "S", "GPSLongitude": "151.2", "GPSLongitudeRef": "E"},
            (-33.8, 151.2),
        ),
        ({"GPSLatitude": 33.8, "GPSLatitudeRef": "South", "GPSLongitude": 151.2}, (-33.8, 151.2)),
        ({"GPSLatitude": -33.8, "GPSLatitudeRef": "S", "GPSLongitude": 151.2}, (-33.8, 151.2)),
        ({"GPSLatitude": 0, "GPSLongitude": 0}, (None, None)),
        ({"GPSLatitude": 0, "GPSLongitude": 6.5}, (0.0, 6.5)),
        ({"GPSLatitude": 91, "GPSLongitude": 6.5}, (None, None)),
        ({"GPSLatitude": 50, "GPSLongitude": 180.1}, (None, None)),
        ({"GPSLatitude": 50}, (None, None)),
        ({"GPSLatitude": "undef", "GPSLongitude": 6.5}, (None, None)),
        ({"GPSLatitude": "inf", "GPSLongitude": 6.5}, (None, None)),
        ({"GPSLatitude": "", "GPSLongitude": ""}, (None, None)),
    ],
)
def test_position_of_exif(tags: dict[str, Any], position: tuple[float | None, float | None]) -> None:
    metadata = normalize({f"EXIF:{tag}": value for tag, value in tags.items()})

    assert (metadata.latitude, metadata.longitude) == position


def test_position_elsewhere() -> None:
    xmp = normalize({"XMP:GPSLatitude": "-33.8568", "XMP:GPSLongitude": "151.2153"})
    film = normalize({"QuickTime:GPSCoordinates": "38.1893 -119.9558 2004.158"}, Kind.VIDEO)
    flat = normalize({"QuickTime:GPSCoordinates": "38.1893 -119.9558"}, Kind.VIDEO)
    nowhere = normalize({"QuickTime:GPSCoordinates": "0 0 0"}, Kind.VIDEO)
    second = normalize(
        {"EXIF:GPSLatitude": 0, "EXIF:GPSLongitude": 0, "XMP:GPSLatitude": 1.5, "XMP:GPSLongitude": 2.5}
    )

    assert (xmp.latitude, xmp.longitude) == (-33.8568, 151.2153)
    assert (film.latitude, film.longitude, film.altitude) == (38.1893, -119.9558, 2004.16)
    assert (flat.latitude, flat.altitude) == (38.1893, None)
    assert (nowhere.latitude, nowhere.altitude) == (None, None)
    assert (second.latitude, second.longitude) == (1.5, 2.5)


@pytest.mark.parametrize(
    ("value", "reference", "altitude"),
    [
        ("37", "0", 37.0),
        ("0.9", "1", -0.9),
        ("12", None, 12.0),
        ("0.9", "3", -0.9),
        ("inf", "0", None),
        ("1e9", "0", None),
    ],
)
def test_altitude(value: str, reference: str | None, altitude: float | None) -> None:
    tags = {
        "EXIF:GPSLatitude": 1,
        "EXIF:GPSLongitude": 1,
        "EXIF:GPSAltitude": value,
        "EXIF:GPSAltitudeRef": reference,
    }

    assert normalize(tags).altitude == altitude


@pytest.mark.parametrize(
    ("value", "reference", "altitude"), [("37.5", "0", 37.5), ("37.5", 1, -37.5), ("high", 0, None)]
)
def test_altitude_of_xmp(value: str, reference: object, altitude: float | None) -> None:
    tags = {
        "XMP:GPSLatitude": 1,
        "XMP:GPSLongitude": 1,
        "XMP:GPSAltitude": value,
        "XMP:GPSAltitudeRef": reference,
    }

    assert normalize(tags).altitude == altitude


def test_size_is_that_of_the_picture_not_what_exif_believes() -> None:
    edited = {
        "File:ImageWidth": 100,
        "File:ImageHeight": 150,
        "EXIF:ImageWidth": 160,
        "EXIF:ImageHeight": 120,
        "EXIF:ExifImageWidth": 3456,
        "EXIF:ExifImageHeight": 5184,
    }
    png = {"PNG:ImageWidth": 1, "PNG:ImageHeight": 2, "EXIF:ImageWidth": 3072, "EXIF:ImageHeight": 4096}
    half = {"File:ImageWidth": 100, "EXIF:ExifImageWidth": 3456, "EXIF:ExifImageHeight": 5184}

    assert (normalize(edited).width, normalize(edited).height) == (100, 150)
    assert (normalize(png).width, normalize(png).height) == (1, 2)
    assert (normalize(half).width, normalize(half).height) == (3456, 5184)


@pytest.mark.parametrize(
    ("tags", "size"),
    [
        (
            {
                "EXIF:ImageWidth": 6000,
                "EXIF:ImageHeight": 4000,
                "File:ImageWidth": 1616,
                "File:ImageHeight": 1080,
            },
            (6000, 4000),
        ),
        (
            {
                "File:FileType": "CR2",
                "EXIF:ImageWidth": 1600,
                "EXIF:ImageHeight": 1200,
                "EXIF:ExifImageWidth": 3648,
                "EXIF:ExifImageHeight": 2736,
            },
            (3648, 2736),
        ),
        (
            {"RAF:RawImageCroppedSize": "4936 3296", "File:ImageWidth": 1920, "File:ImageHeight": 1280},
            (4936, 3296),
        ),
        ({"RAF:RawImageCroppedSize": "x", "File:ImageWidth": 1920, "File:ImageHeight": 1280}, (1920, 1280)),
    ],
)
def test_size_of_raw(tags: dict[str, Any], size: tuple[int, int]) -> None:
    metadata = normalize(tags, Kind.RAW)

    assert (metadata.width, metadata.height) == size


@pytest.mark.parametrize(
    ("value", "orientation"), [(1, 1), ("8", 8), (0, None), (9, None), ("Rotate 90 CW", None)]
)
def test_orientation(value: object, orientation: int | None) -> None:
    assert normalize({"EXIF:Orientation": value}).orientation == orientation


@pytest.mark.parametrize(
    ("turned", "orientation"), [("0", 1), ("90", 8), ("180", 3), ("270", 6), ("45", None)]
)
def test_orientation_of_heif(turned: str, orientation: int | None) -> None:
    assert normalize({"QuickTime:Rotation": turned}).orientation == orientation


def test_files_with_other_tags_after_one_another() -> None:
    many = {f"MakerNotes:Tag{number}": "1" for number in range(1_000)}
    for extra in ({}, many, {}):
        assert normalize({"EXIF:Make": "Canon", "EXIF:LensModel": "RF50mm", **extra}).lens == "RF50mm"
        assert normalize({"EXIF:Make": "Canon", **extra}).lens is None
        assert normalize({"XMP:Lens": "XF35mm", "EXIF:Make": "Fuji", **extra}).lens == "XF35mm"
        assert normalize({"EXIF:Make": "Sony", "EXIF:Artist": "Ana", **extra}) == Metadata(
            make="Sony", artist="Ana"
        )


@pytest.mark.parametrize(
    ("tags", "lens"),
    [
        ({"EXIF:LensModel": "RF50mm F1.2 L USM"}, "RF50mm F1.2 L USM"),
        ({"EXIF:LensModel": "----", "MakerNotes:LensModel": "LUMIX G 25/F1.7"}, "LUMIX G 25/F1.7"),
        ({"EXIF:LensModel": "0.0 mm f/0.0", "XMP:Lens": "24.0-70.0 mm"}, "24.0-70.0 mm"),
        ({"MakerNotes:LensType": "56"}, None),
        ({"MakerNotes:LensType": "LUMIX G VARIO 14-42/F3.5-5.6"}, "LUMIX G VARIO 14-42/F3.5-5.6"),
        ({"EXIF:LensInfo": "18 55 3.5 5.6"}, "18-55mm f/3.5-5.6"),
        ({"EXIF:LensInfo": "35 35 2 2"}, "35mm f/2"),
        ({"EXIF:LensInfo": "24 105 undef undef"}, "24-105mm"),
        ({"EXIF:LensInfo": "4.168156977e-10 0.6993006 2 2"}, None),
        ({"EXIF:LensInfo": "0 0 0 0", "MakerNotes:Lens": "20 20 2.8 2.8"}, "20mm f/2.8"),
        ({"MakerNotes:LensType": "56", "MakerNotes:LensSpec": "01 55 200 4 5.6 02"}, "55-200mm f/4-5.6"),
        ({"MakerNotes:LensSpec": "00 0 0 0 0 00"}, None),
    ],
)
def test_lens(tags: dict[str, Any], lens: str | None) -> None:
    assert normalize(tags).lens == lens


@pytest.mark.parametrize(
    ("tags", "iso"),
    [
        ({"EXIF:ISO": 800}, 800),
        ({"EXIF:ISO": "100 200"}, 100),
        ({"EXIF:ISO": "0 200"}, 200),
        ({"EXIF:ISO": 65535, "EXIF:RecommendedExposureIndex": 102400}, 102400),
        ({"EXIF:ISO": 65535}, 65535),
        ({"EXIF:ISO": 0, "MakerNotes:ISO": 74.9}, 75),
        ({"EXIF:ISO": "Auto"}, None),
    ],
)
def test_iso(tags: dict[str, Any], iso: int | None) -> None:
    assert normalize(tags).iso == iso


@pytest.mark.parametrize(
    ("tags", "rating"),
    [
        ({"XMP:Rating": "4"}, 4),
        ({"XMP:Rating": 3.5}, 4),
        ({"XMP:Rating": 0}, 0),
        ({"XMP:Rating": -1}, None),
        ({"XMP:Rating": -1, "EXIF:RatingPercent": 99}, None),
        ({"XMP:Rating": 99}, 5),
        ({"XMP:Rating": "none", "EXIF:Rating": 2}, 2),
        ({"EXIF:RatingPercent": "75"}, 4),
        ({"ASF:SharedUserRating": 25}, 2),
        ({"ID3:Popularimeter": "Windows Media Player 9 Series 196 0"}, 4),
        ({"XMP:Rating": 1000}, None),
    ],
)
def test_rating(tags: dict[str, Any], rating: int | None) -> None:
    assert normalize(tags).rating == rating


def test_keywords_of_all_places_once() -> None:
    metadata = normalize(
        {
            "XMP:Subject": ["beach", "Lisbon", 2019],
            "IPTC:Keywords": ["Beach", "sea"],
            "EXIF:XPKeywords": "sea;sun; ;wind",
            "XMP:HierarchicalSubject": ["Places|Portugal|Lisbon", "Animals|Dog"],
            "XMP:TagsList": "People/Ann",
        }
    )

    assert metadata.keywords == ("beach", "Lisbon", "2019", "sea", "sun", "wind", "Ann", "Dog")


def test_people_are_faces() -> None:
    metadata = normalize(
        {
            "XMP:PersonInImage": "Ann",
            "XMP:RegionName": ["Bob", "Rex", "ann"],
            "XMP:RegionType": ["Face", "Pet", "Face"],
            "XMP:RegionPersonDisplayName": ["Carol"],
        }
    )
    untyped = normalize({"XMP:RegionName": ["Bob", "Rex"], "XMP:RegionType": "Face"})

    assert metadata.people == ("Ann", "Carol", "Bob")
    assert untyped.people == ("Bob", "Rex")


def test_place_from_small_to_large() -> None:
    metadata = normalize(
        {
            "IPTC:Sub-location": "Alfama",
            "XMP:City": "Lisbon",
            "IPTC:City": "Lisboa",
            "XMP:State": "Lisbon",
            "IPTC:Country-PrimaryLocationName": "Portugal",
        }
    )

    assert metadata.place == "Alfama, Lisbon, Portugal"


@pytest.mark.parametrize(
    "junk",
    [
        "OLYMPUS DIGITAL CAMERA         ",
        "SONY DSC",
        "Exif_JPEG_PICTURE",
        "charset=Ascii",
        'charset="Unicode" ',
        "                               ",
        "------",
        "oplus_32",
        "filter: 0; fileterIntensity: 0.0; filterMask: 0;",
        '{"mirror":false,"sensor_type":"rear"}',
        "CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90",
        "(iTunSMPB) 00000000 00000210",
    ],
)
def test_what_cameras_write_into_every_file_is_no_description(junk: str) -> None:
    assert normalize({"EXIF:ImageDescription": junk, "EXIF:UserComment": "Ann on the beach"}).description == (
        "Ann on the beach"
    )


def test_description() -> None:
    tags = {
        "EXIF:ImageDescription": "of EXIF",
        "IPTC:Caption-Abstract": "of IPTC",
        "XMP:Description": "of XMP",
    }

    assert normalize(tags).description == "of XMP"
    assert normalize({"EXIF:UserComment": "charset=Ascii Ann"}).description == "Ann"
    assert normalize({"File:Comment": "❤"}).description == "❤"
    assert normalize({"XMP:Description": "é" * 100_000}).description == "é" * 65_536


def test_title_and_artist() -> None:
    metadata = normalize(
        {
            "IPTC:ObjectName": "Harbour",
            "XMP:Creator": ["Ann", "Bob"],
            "EXIF:Artist": "Carol",
            "XMP:Headline": "No",
        }
    )

    assert (metadata.title, metadata.artist) == ("Harbour", "Ann; Bob")
    assert metadata.year is None


def test_numbers_out_of_their_range_are_none() -> None:
    metadata = normalize(
        {
            "EXIF:FNumber": 0,
            "EXIF:ApertureValue": 5.59591869015324,
            "EXIF:ExposureTime": "inf",
            "EXIF:ShutterSpeedValue": "0.00798357147386029",
            "EXIF:FocalLength": -3,
            "File:ImageWidth": 0,
            "File:ImageHeight": 10,
        }
    )

    assert (metadata.f_number, metadata.exposure, metadata.focal_length) == (5.6, 0.007983571, None)
    assert (metadata.width, metadata.height) == (None, None)

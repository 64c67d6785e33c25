"""The photos of the demonstration library: what each shows, who took it, when and where, and how that gets into the file.

Tags are written as cameras and photo programs do: EXIF 2.32 for camera, exposure, time and position; XMP (Dublin Core,
IPTC) for title, keywords, people and places.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from PIL import ExifTags, Image, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational

from tui.operations.demo_drawings import draw_scene

_XMP_IN_TIFF = 700


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as it writes itself into EXIF: maker, model, lens, and its usual focal length (mm), aperture and ISO."""

    make: str
    model: str
    lens: str
    focal_length: float
    f_number: float
    iso: int


CANON = Camera("Canon", "Canon EOS 5D Mark IV", "EF24-70mm f/2.8L II USM", 35, 8, 200)
NIKON = Camera("NIKON CORPORATION", "NIKON D850", "AF-S NIKKOR 14-24mm f/2.8G ED", 16, 11, 64)
SONY = Camera("SONY", "ILCE-7M3", "FE 85mm F1.8", 85, 2.2, 1600)
FUJI = Camera("FUJIFILM", "X-T4", "XF16-55mmF2.8 R LM WR", 23, 5.6, 320)
IPHONE = Camera("Apple", "iPhone 13 Pro", "iPhone 13 Pro back triple camera 5.7mm f/1.5", 5.7, 1.5, 50)
DRONE = Camera("DJI", "FC3582", "24.0 mm f/1.7", 6.7, 1.7, 100)


@dataclass(frozen=True, slots=True)
class Place:
    """A place: city and country, degrees north and east, metres above the sea, and its offset from UTC (`+01:00`)."""

    city: str
    country: str
    latitude: float
    longitude: float
    altitude: float
    offset: str


ICELAND = Place("Vík í Mýrdal", "Iceland", 63.4187, -19.0060, 24, "+00:00")
LISBON = Place("Lisbon", "Portugal", 38.7139, -9.1394, 88, "+01:00")
ZERMATT = Place("Zermatt", "Switzerland", 45.9763, 7.6586, 3089, "+02:00")
KYOTO = Place("Kyoto", "Japan", 35.0116, 135.7681, 56, "+09:00")
ATACAMA = Place("San Pedro de Atacama", "Chile", -22.9087, -68.1997, 2408, "-03:00")


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture to be made.

    Attributes:
        path: below the folder of the demo; the extension decides the format.
        scene: what is drawn (`demo_drawings.draw_scene`).
        light: in which light.
        taken: local time, `YYYY-MM-DD HH:MM:SS`; "" writes no EXIF at all, as messengers do.
        camera: None for a picture that no camera took.
        place: None where no position is known.
        title: title.
        keywords: keywords.
        rating: stars, 0 for none.
        people: who is in it.
        portrait: the camera was held upright; the pixels lie on their side and EXIF orientation 6 says so.
    """

    path: str
    scene: str
    light: str
    taken: str = ""
    camera: Camera | None = None
    place: Place | None = None
    title: str = ""
    keywords: tuple[str, ...] = ()
    rating: int = 0
    people: tuple[str, ...] = ()
    portrait: bool = False


PHOTOS = (
    Photo("Photos/2016/08 Iceland/IMG_0412.JPG", "sea", "night", "2016-08-14 23:48:05", CANON, ICELAND,
          "Black beach by moonlight", ("beach", "night", "travel"), 4),
    Photo("Photos/2016/08 Iceland/IMG_0413.JPG", "mountains", "snow", "2016-08-15 10:02:44", CANON, ICELAND,
          "Glacier tongues", ("glacier", "mountains", "travel"), 3),
    Photo("Photos/2016/08 Iceland/IMG_0420.JPG", "mountains", "dusk", "2016-08-15 21:31:12", CANON, ICELAND,
          "Last light", ("mountains", "sunset", "travel"), 5),
    Photo("Photos/2019/07 Lisbon/DSC_1001.JPG", "city", "dawn", "2019-07-03 06:12:30", NIKON, LISBON,
          "Alfama before breakfast", ("city", "sunrise", "travel"), 4),
    Photo("Photos/2019/07 Lisbon/DSC_1002.JPG", "sea", "coast", "2019-07-03 18:22:11", NIKON, LISBON,
          "Atlantic", ("beach", "sea", "travel"), 5, ("Ana",)),
    Photo("Photos/2019/07 Lisbon/DSC_1003.JPG", "city", "dusk", "2019-07-04 20:58:02", NIKON, LISBON,
          "From the Miradouro", ("city", "sunset"), 3),
    Photo("Photos/2019/07 Lisbon/DSC_1004.JPG", "sea", "dusk", "2019-07-05 21:01:47", NIKON, LISBON,
          "Cabo da Roca", ("beach", "sea", "sunset"), 4, ("Ana", "Noël")),
    Photo("Photos/2019/07 Lisbon/DSC_1005.JPG", "city", "night", "2019-07-05 23:40:00", NIKON, LISBON,
          "", ("city", "night"), 0, (), True),
    Photo("Photos/2021/09 Zermatt/DSC02201.JPG", "mountains", "dawn", "2021-09-11 06:55:20", SONY, ZERMATT,
          "Matterhorn side", ("mountains", "sunrise", "hiking"), 5),
    Photo("Photos/2021/09 Zermatt/DSC02202.JPG", "forest", "noon", "2021-09-11 12:15:03", SONY, ZERMATT,
          "Larches", ("forest", "hiking"), 2, ("Noël",)),
    Photo("Photos/2021/09 Zermatt/DSC02203.JPG", "mountains", "noon", "2021-09-12 13:20:41", SONY, ZERMATT,
          "", ("mountains", "hiking"), 0, (), True),
    Photo("Photos/2021/09 Zermatt/DJI_0034.JPG", "mountains", "snow", "2021-09-12 15:02:09", DRONE, ZERMATT,
          "Above the Gornergrat", ("aerial", "mountains"), 4),
    Photo("Photos/2021/09 Zermatt/DJI_0035.JPG", "forest", "snow", "2021-09-12 15:08:51", DRONE, ZERMATT,
          "", ("aerial", "forest")),
    Photo("Photos/2023/04 京都/DSCF3310.JPG", "forest", "garden", "2023-04-02 09:14:26", FUJI, KYOTO,
          "哲学の道", ("garden", "spring", "travel"), 5),
    Photo("Photos/2023/04 京都/DSCF3311.JPG", "mountains", "garden", "2023-04-02 17:45:10", FUJI, KYOTO,
          "Hills of Arashiyama", ("spring", "mountains"), 3, ("Ana",)),
    Photo("Photos/2023/04 京都/DSCF3312.JPG", "city", "night", "2023-04-03 20:33:59", FUJI, KYOTO,
          "Lanterns", ("city", "night"), 4),
    Photo("Photos/2023/04 京都/DSCF3313.TIF", "sea", "garden", "2023-04-04 08:05:00", FUJI, KYOTO,
          "Lake Biwa, for print", ("lake", "print"), 5),
    Photo("Photos/2024/11 Atacama/IMG_7781.JPG", "mountains", "desert", "2024-11-20 18:59:14", IPHONE, ATACAMA,
          "Valle de la Luna", ("desert", "mountains", "travel"), 5),
    Photo("Photos/2024/11 Atacama/IMG_7782.JPG", "mountains", "night", "2024-11-20 23:30:48", IPHONE, ATACAMA,
          "So many stars", ("desert", "night"), 4, ("Ana", "Noël")),
    Photo("Photos/2024/11 Atacama/IMG_7783.JPG", "sea", "dawn", "2024-11-21 06:40:20", IPHONE, ATACAMA,
          "Salar", ("desert", "sunrise"), 3, (), True),
    Photo("Photos/Phone/IMG-20240103-WA0007.jpg", "forest", "snow"),
    Photo("Photos/Phone/IMG-20240718-WA0002.jpg", "sea", "coast"),
    Photo("Photos/Phone/panorama.webp", "city", "noon", "2024-07-10 11:11:11", IPHONE, LISBON, "", ("city",)),
    Photo("Photos/Drawings/poster.png", "city", "dusk", title="Poster for the exhibition", keywords=("drawing",)),
)  # fmt: skip
"""All photos, folder by folder."""


def encode_photo(photo: Photo, seed: int) -> bytes:
    """Draw the picture and return it as a file of the format that its path asks for, tags included."""
    picture = draw_scene(photo.scene, photo.light, seed, portrait=photo.portrait)
    if photo.portrait:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    extension = photo.path.rpartition(".")[2].lower()
    out = io.BytesIO()
    exif = build_exif(photo) if photo.taken else Image.Exif()
    xmp = build_xmp(photo) if photo.title or photo.keywords else b""
    if extension == "png":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
        picture.quantize(128).save(out, "PNG", optimize=True, pnginfo=chunks)
    elif extension == "tif":
        exif[_XMP_IN_TIFF] = xmp
        picture.save(out, "TIFF", exif=exif.tobytes())  # only uncompressed keeps the blocks of EXIF and GPS
    elif extension == "webp":
        picture.save(out, "WEBP", quality=85, exif=exif.tobytes(), xmp=xmp)
    else:
        picture.save(out, "JPEG", quality=86, exif=exif, xmp=xmp)
    return out.getvalue()


def build_exif(photo: Photo) -> Image.Exif:
    """Return the EXIF block of a photo that has a time."""
    exif = Image.Exif()
    moment = photo.taken.replace("-", ":")
    exif[ExifTags.Base.DateTime] = moment
    exif[ExifTags.Base.Orientation] = 6 if photo.portrait else 1
    exif[ExifTags.Base.Software] = "yapmo demo"
    if photo.rating:
        exif[ExifTags.Base.Rating] = photo.rating
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.ExifVersion], details[ExifTags.Base.ColorSpace] = b"0232", 1
    details[ExifTags.Base.DateTimeOriginal] = details[ExifTags.Base.DateTimeDigitized] = moment
    if photo.camera:
        camera = photo.camera
        exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = camera.make, camera.model
        details[ExifTags.Base.LensModel] = camera.lens
        details[ExifTags.Base.ISOSpeedRatings] = camera.iso
        details[ExifTags.Base.FNumber] = IFDRational(round(camera.f_number * 10), 10)
        details[ExifTags.Base.FocalLength] = IFDRational(round(camera.focal_length * 10), 10)
        details[ExifTags.Base.ExposureTime] = IFDRational(1, 15 if photo.light == "night" else 250)
    if photo.place:
        details[ExifTags.Base.OffsetTimeOriginal] = photo.place.offset
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(_position(photo.place))
    return exif


def _position(place: Place) -> dict[int, object]:
    return {
        ExifTags.GPS.GPSLatitudeRef: "N" if place.latitude >= 0 else "S",
        ExifTags.GPS.GPSLatitude: _degrees(place.latitude),
        ExifTags.GPS.GPSLongitudeRef: "E" if place.longitude >= 0 else "W",
        ExifTags.GPS.GPSLongitude: _degrees(place.longitude),
        ExifTags.GPS.GPSAltitudeRef: b"\0",
        ExifTags.GPS.GPSAltitude: IFDRational(round(place.altitude * 10), 10),
    }


def _degrees(angle: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Return an angle as EXIF has it: degrees, minutes, seconds."""
    hundredths = round(abs(angle) * 3600 * 100)
    minutes, seconds = divmod(hundredths, 6000)
    return IFDRational(minutes // 60, 1), IFDRational(minutes % 60, 1), IFDRational(seconds, 100)


def build_xmp(photo: Photo) -> bytes:
    """Return the XMP packet with title, keywords, people, place and rating."""
    subject = "".join(map(_item, photo.keywords))
    parts = [f"<dc:subject><rdf:Bag>{subject}</rdf:Bag></dc:subject>"]
    if photo.title:
        title = f'<rdf:li xml:lang="x-default">{escape(photo.title)}</rdf:li>'
        parts += [f"<dc:title><rdf:Alt>{title}</rdf:Alt></dc:title>"]
    if photo.people:
        people = "".join(map(_item, photo.people))
        parts += [f"<iptcExt:PersonInImage><rdf:Bag>{people}</rdf:Bag></iptcExt:PersonInImage>"]
    if photo.place:
        parts += [f"<photoshop:City>{escape(photo.place.city)}</photoshop:City>"]
        parts += [f"<photoshop:Country>{escape(photo.place.country)}</photoshop:Country>"]
    if photo.rating:
        parts += [f"<xmp:Rating>{photo.rating}</xmp:Rating>"]
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
        'xmlns:iptcExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f'{"".join(parts)}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def _item(text: str) -> str:
    return f"<rdf:li>{escape(text)}</rdf:li>"


def taken_timestamp(photo: Photo) -> float | None:
    """Return the moment of the photo as seconds since the epoch (for the time of its file), None where it has none."""
    if not photo.taken:
        return None
    return datetime.fromisoformat(photo.taken + (photo.place.offset if photo.place else "+00:00")).timestamp()

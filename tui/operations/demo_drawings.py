"""Drawn landscapes for the demonstration library: skies, mountains, seas and cities out of gradients and polygons.

The same scene and seed give the same picture. Pillow is imported here alone, and this module only by the demo.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

SIZE = (1200, 800)
"""Pixels of a drawn picture in landscape format."""

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a scene: the sky from top to horizon, the sun, and the ground from far to near."""

    zenith: Colour
    horizon: Colour
    sun: Colour
    far: Colour
    near: Colour


PALETTES = {
    "dawn": Palette((54, 62, 110), (250, 178, 140), (255, 226, 170), (150, 128, 160), (40, 36, 60)),
    "noon": Palette((42, 110, 190), (190, 224, 244), (255, 252, 230), (128, 164, 178), (38, 78, 56)),
    "coast": Palette((38, 112, 190), (196, 228, 240), (255, 252, 230), (110, 140, 120), (14, 62, 104)),
    "dusk": Palette((30, 24, 66), (240, 110, 70), (255, 190, 90), (122, 60, 90), (24, 16, 34)),
    "night": Palette((6, 8, 24), (36, 48, 88), (236, 238, 255), (30, 38, 64), (6, 8, 16)),
    "snow": Palette((110, 150, 200), (232, 240, 248), (255, 250, 235), (200, 214, 230), (92, 112, 140)),
    "desert": Palette((90, 150, 200), (252, 224, 178), (255, 244, 210), (232, 176, 116), (150, 84, 46)),
    "garden": Palette((120, 170, 210), (244, 226, 232), (255, 246, 240), (214, 160, 180), (70, 96, 60)),
}
"""Light and season by name."""


def draw_scene(scene: str, light: str, seed: int, *, portrait: bool = False) -> Image.Image:
    """Draw one picture.

    Args:
        scene: `mountains`, `sea`, `city` or `forest`.
        light: a name of `PALETTES`.
        seed: number that tells two pictures of the same scene apart.
        portrait: upright format.
    """
    width, height = SIZE[::-1] if portrait else SIZE
    palette, chance = PALETTES[light], random.Random(seed)  # noqa: S311  # pictures, no secrets
    picture = _sky(palette, width, height, chance, stars=light == "night")
    draw = ImageDraw.Draw(picture)
    {"mountains": _mountains, "sea": _sea, "city": _city, "forest": _forest}[scene](
        draw, picture.size, palette, chance
    )
    return picture.filter(ImageFilter.SMOOTH)


def _blend(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _sky(palette: Palette, width: int, height: int, chance: random.Random, *, stars: bool) -> Image.Image:
    column = Image.new("RGB", (1, 64))
    for row in range(64):
        column.putpixel((0, row), _blend(palette.zenith, palette.horizon, (row / 63) ** 1.4))
    picture = column.resize((width, height), Image.Resampling.BICUBIC)
    centre_x, centre_y = chance.randint(width // 5, width * 4 // 5), chance.randint(height // 6, height // 2)
    radius = chance.randint(height // 22, height // 12)
    glow = Image.new("L", (width // 4, height // 4))
    around = ImageDraw.Draw(glow)
    for ring in range(8, 0, -1):
        reach = radius * (1 + ring) / 4
        box = (centre_x / 4 - reach, centre_y / 4 - reach, centre_x / 4 + reach, centre_y / 4 + reach)
        around.ellipse(box, fill=26 * (9 - ring))
    glow = glow.filter(ImageFilter.GaussianBlur(radius / 4)).resize((width, height))
    picture.paste(Image.new("RGB", (width, height), palette.sun), mask=glow.point(lambda value: value * 0.7))
    draw = ImageDraw.Draw(picture)
    for _ in range(260 if stars else 0):
        x, y = chance.randrange(width), chance.randrange(height * 2 // 3)
        draw.point((x, y), fill=_blend(palette.zenith, (255, 255, 255), chance.uniform(0.3, 1)))
    draw.ellipse(
        (centre_x - radius, centre_y - radius, centre_x + radius, centre_y + radius), fill=palette.sun
    )
    return picture


def _ridge(
    width: int, base: float, rise: float, rough: float, chance: random.Random
) -> list[tuple[float, float]]:
    """Return the points of a skyline: waves of rising frequency and falling height."""
    waves = [(chance.uniform(0, math.tau), (2.1**octave) * rough, rise / 1.9**octave) for octave in range(6)]
    return [
        (x, base - sum(height * math.sin(start + pace * x / width) for start, pace, height in waves))
        for x in range(0, width + 8, 8)
    ]


def _mountains(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], palette: Palette, chance: random.Random
) -> None:
    width, height = size
    for layer in range(6):
        share = layer / 5
        points = _ridge(
            width, height * (0.52 + 0.09 * layer), height * (0.13 - 0.015 * layer), 3 + layer, chance
        )
        draw.polygon([*points, (width, height), (0, height)], fill=_blend(palette.far, palette.near, share))


def _sea(draw: ImageDraw.ImageDraw, size: tuple[int, int], palette: Palette, chance: random.Random) -> None:
    width, height = size
    shore = height * 0.6
    for row in range(int(shore), height, 2):
        share = (row - shore) / (height - shore)
        draw.line(
            (0, row, width, row), fill=_blend(palette.horizon, palette.near, 0.25 + 0.75 * share), width=2
        )
    for _ in range(420):
        depth = chance.random() ** 1.6
        y, length = shore + depth * (height - shore), 6 + depth * 90
        x = chance.uniform(-length, width)
        draw.line(
            (x, y, x + length, y),
            fill=_blend(palette.sun, palette.near, 0.2 + 0.6 * depth),
            width=1 + int(depth * 3),
        )
    points = _ridge(width, shore + 4, height * 0.05, 2, chance)
    draw.polygon([*points, (width, shore), (0, shore)], fill=_blend(palette.far, palette.horizon, 0.3))


def _city(draw: ImageDraw.ImageDraw, size: tuple[int, int], palette: Palette, chance: random.Random) -> None:
    width, height = size
    for layer in range(3):
        colour = _blend(palette.far, palette.near, layer / 2)
        x = -chance.randrange(60)
        while x < width:
            breadth = chance.randint(width // 24, width // 10)
            top = height * (0.34 + 0.16 * layer) + chance.randint(0, height // 5)
            draw.rectangle((x, top, x + breadth, height), fill=colour)
            for row in range(int(top) + 14, height - 10, 22):
                for column in range(x + 8, x + breadth - 8, 16):
                    if layer and chance.random() < 0.35:
                        draw.rectangle(
                            (column, row, column + 6, row + 9), fill=_blend(colour, palette.sun, 0.8)
                        )
            x += breadth + chance.randint(0, 14)


def _forest(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], palette: Palette, chance: random.Random
) -> None:
    width, height = size
    for layer in range(4):
        colour = _blend(palette.far, palette.near, layer / 3)
        ground = height * (0.62 + 0.12 * layer)
        draw.polygon(
            [*_ridge(width, ground, height * 0.03, 3, chance), (width, height), (0, height)], fill=colour
        )
        for _ in range(34 - 6 * layer):
            x, tall = chance.uniform(0, width), height * (0.09 + 0.07 * layer) * chance.uniform(0.7, 1.3)
            for step in range(3):
                top, breadth = ground + 8 - tall * (1 - step * 0.24), tall * (0.13 + 0.07 * step)
                draw.polygon(
                    [(x, top), (x - breadth, top + tall * 0.42), (x + breadth, top + tall * 0.42)],
                    fill=colour,
                )

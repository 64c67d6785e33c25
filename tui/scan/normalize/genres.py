"""Genres that ID3v1 and early ID3v2 write as numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tui.scan.normalize.values import SHORT_TEXT, read_texts, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

GENRES = (
    """
Blues, Classic Rock, Country, Dance, Disco, Funk, Grunge, Hip-Hop, Jazz, Metal, New Age, Oldies, Other,
Pop, R&B, Rap, Reggae, Rock, Techno, Industrial, Alternative, Ska, Death Metal, Pranks, Soundtrack,
Euro-Techno, Ambient, Trip-Hop, Vocal, Jazz+Funk, Fusion, Trance, Classical, Instrumental, Acid, House,
Game, Sound Clip, Gospel, Noise, Alt. Rock, Bass, Soul, Punk, Space, Meditative, Instrumental Pop,
Instrumental Rock, Ethnic, Gothic, Darkwave, Techno-Industrial, Electronic, Pop-Folk, Eurodance, Dream,
Southern Rock, Comedy, Cult, Gangsta Rap, Top 40, Christian Rap, Pop/Funk, Jungle, Native American,
Cabaret, New Wave, Psychedelic, Rave, Showtunes, Trailer, Lo-Fi, Tribal, Acid Punk, Acid Jazz, Polka,
Retro, Musical, Rock & Roll, Hard Rock, Folk, Folk-Rock, National Folk, Swing, Fast-Fusion, Bebop,
Latin, Revival, Celtic, Bluegrass, Avantgarde, Gothic Rock, Progressive Rock, Psychedelic Rock,
Symphonic Rock, Slow Rock, Big Band, Chorus, Easy Listening, Acoustic, Humour, Speech, Chanson, Opera,
Chamber Music, Sonata, Symphony, Booty Bass, Primus, Porn Groove, Satire, Slow Jam, Club, Tango, Samba,
Folklore, Ballad, Power Ballad, Rhythmic Soul, Freestyle, Duet, Punk Rock, Drum Solo, A Cappella,
Euro-House, Dance Hall, Goa, Drum & Bass, Club-House, Hardcore, Terror, Indie, BritPop, Afro-Punk, Polsk
Punk, Beat, Christian Gangsta Rap, Heavy Metal, Black Metal, Crossover, Contemporary Christian,
Christian Rock, Merengue, Salsa, Thrash Metal, Anime, JPop, Synthpop, Abstract, Art Rock, Baroque,
Bhangra, Big Beat, Breakbeat, Chillout, Downtempo, Dub, EBM, Eclectic, Electro, Electroclash, Emo,
Experimental, Garage, Global, IDM, Illbient, Industro-Goth, Jam Band, Krautrock, Leftfield, Lounge, Math
Rock, New Romantic, Nu-Breakz, Post-Punk, Post-Rock, Psytrance, Shoegaze, Space Rock, Trop Rock, World
Music, Neoclassical, Audiobook, Audio Theatre, Neue Deutsche Welle, Podcast, Indie Rock, G-Funk,
Dubstep, Garage Rock, Psybient
""".replace("\n", " ")
    .strip()
    .split(", ")
)
"""Names by number: 0 to 79 of ID3v1 (ID3v2.3.0, appendix A), the rest of Winamp."""

_PARTS = re.compile(r"\((?:([0-9]{1,3})|(RX)|(CR))\)|(.+)", re.DOTALL)


def name_genres(value: object) -> str | None:
    """Return genres as names joined with `; `: `(17)`, `17`, `(4)(17)Eurodisco` and `((odd)` as ID3v2.3 writes them."""
    names = (name for text in read_texts(value) for part in text.split("\x00") for name in _split(part))
    return "; ".join(unique(names))[:SHORT_TEXT].strip() or None


def _split(text: str) -> Iterator[str]:
    if text.isascii() and text.isdigit():
        yield _name(text)
        return
    for number, remix, cover, words in _PARTS.findall(text.strip()):
        if number:
            yield _name(number)
        elif words:
            yield words.removeprefix("(") if words.startswith("((") else words
        else:
            yield "Remix" if remix else "Cover" if cover else ""


def _name(number: str) -> str:
    return GENRES[int(number)] if len(number) <= 3 and int(number) < len(GENRES) else number

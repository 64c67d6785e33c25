"""The rules: which files of one folder belong together by their names.

Upper and lower case of ASCII letters are the same. Sources: Apple Support, "Live Photos"; the names that iOS, GoPro,
Canon, darktable and Lightroom give, as in the table of docs/identity.md.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tui.records import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

LONGEST_LIVE_PHOTO_MS = 10_000
"""A film that plays longer is not that of a Live Photo, which takes about three seconds."""

STILLS = frozenset(("heic", "heif", "hif", "jpg", "jpeg"))
"""Extensions of what a camera writes beside its RAW, and of what a Live Photo shows."""

LIVE_FILM = "mov"
"""Extension of the film of a Live Photo."""

_EDITED = re.compile(rb"img_e(\d+.*)", re.DOTALL)
_OF_APPLE = re.compile(rb"img_[oe](\d+.*)", re.DOTALL)
_VERSION_OF_DARKTABLE = re.compile(rb"(.+)_\d{2,}(\.[^.]+)", re.DOTALL)
_PREVIEW_OF_GOPRO = re.compile(rb"gl(\d{6})")
_OF_FILMS = frozenset((b"thm", b"lrv", b"lrf"))
_ORDER = (Kind.RAW, Kind.IMAGE, Kind.VIDEO, Kind.AUDIO)


class Member(NamedTuple):
    """A media file among those of its folder.

    Attributes:
        file_id: its id.
        name: its name.
        kind: what it is.
        extension: of its name, in lower case.
        duration_ms: playing time, None while that is not known.
    """

    file_id: int
    name: bytes
    kind: Kind
    extension: str
    duration_ms: int | None = None


def group_by_stem(members: Iterable[Member]) -> dict[bytes, list[Member]]:
    """Return the media files of one folder by their names without extension, in lower case."""
    groups: dict[bytes, list[Member]] = defaultdict(list)
    for member in members:
        groups[member.name.rpartition(b".")[0].lower()].append(member)
    return groups


def find_main_files(
    groups: Mapping[bytes, list[Member]], content_identifier: Callable[[int], str | None] = lambda _: None
) -> dict[int, int]:
    """Return the main file of each companion among the media files of one folder, by id; never a chain.

    Args:
        groups: the media files of the folder (`group_by_stem`).
        content_identifier: by file id, Apple's identifier that the two parts of a Live Photo share; None if not known.
    """
    main_of: dict[int, int] = {}
    for group in groups.values():
        if len(group) > 1:
            main_of |= _mains_in_group(sorted(group, key=_by_name), content_identifier)
    for stem, group in groups.items():
        edited = _EDITED.fullmatch(stem) if stem.startswith(b"img_e") else None
        originals = groups.get(b"img_" + edited[1]) if edited else None
        if originals:
            main_of |= _mains_of_edited(group, originals, main_of)
    return {file_id: main_of.get(main, main) for file_id, main in main_of.items()}


def _mains_in_group(
    group: Sequence[Member], content_identifier: Callable[[int], str | None]
) -> dict[int, int]:
    """Return what belongs to what among files of one stem, sorted by name: JPEG to RAW, film to Live Photo."""
    raws = [member for member in group if member.kind is Kind.RAW]
    # a DNG beside another RAW was made from it
    raws.sort(key=lambda member: member.extension == "dng")
    stills = [member for member in group if member.extension in STILLS]
    stills.sort(key=lambda member: member.extension in ("jpg", "jpeg"))
    main_of = {still.file_id: raws[0].file_id for still in stills} if raws else {}
    for film in group:
        if not stills or film.extension != LIVE_FILM:
            continue
        if _may_be_one(film, stills[0], content_identifier):
            main_of[film.file_id] = main_of.get(stills[0].file_id, stills[0].file_id)
    return main_of


def _may_be_one(film: Member, still: Member, content_identifier: Callable[[int], str | None]) -> bool:
    """Return whether nothing speaks against a film being that of a Live Photo."""
    ours, theirs = content_identifier(film.file_id), content_identifier(still.file_id)
    if ours and theirs:
        return ours == theirs
    return film.duration_ms is None or film.duration_ms <= LONGEST_LIVE_PHOTO_MS


def _mains_of_edited(
    group: Sequence[Member], originals: Sequence[Member], main_of: Mapping[int, int]
) -> dict[int, int]:
    """Return the main files of Apple's edited versions: what the original of the same kind belongs to."""
    found = {}
    for member in group:
        same = [item for item in originals if (item.kind is Kind.VIDEO) == (member.kind is Kind.VIDEO)]
        if same and member.kind is not Kind.AUDIO:
            original = min(
                same, key=lambda item: (item.file_id in main_of, _ORDER.index(item.kind), item.name)
            )
            found[member.file_id] = main_of.get(original.file_id, original.file_id)
    return found


def _by_name(member: Member) -> bytes:
    return member.name


class Owners:
    """The media files of one folder, ready to be asked which of them a sidecar belongs to."""

    def __init__(self, groups: Mapping[bytes, list[Member]], main_of: Mapping[int, int]) -> None:
        """Take the files by stem (`group_by_stem`) and which of them are companions (`find_main_files`)."""
        self._by_stem = groups
        self._companions = main_of

    def owner_of(self, sidecar: bytes) -> int | None:
        """Return the id of the file that a sidecar belongs to by its name, None if there is none."""
        stem, _, extension = sidecar.lower().rpartition(b".")
        candidates = (
            self._of_name(stem)
            or self._of_version(stem)
            or self._by_stem.get(stem)
            or self._by_other_name(stem, extension)
        )
        if not candidates:
            return None
        for kind in (Kind.VIDEO, Kind.RAW) if extension in _OF_FILMS else _ORDER:
            fitting = [member for member in candidates if member.kind is kind]
            if fitting:
                return min(fitting, key=lambda member: self._distance(sidecar, member)).file_id
        return None

    def _distance(self, sidecar: bytes, member: Member) -> tuple[bool, int, bytes]:
        """Order the files of one kind that a sidecar may belong to: main files first, then those in its case."""
        other_case = sum(ours != theirs for ours, theirs in zip(sidecar, member.name, strict=False))
        return member.file_id in self._companions, other_case, member.name

    def _of_name(self, name: bytes) -> list[Member]:
        """Return the files of a whole name, in lower case."""
        group = self._by_stem.get(name.rpartition(b".")[0], ()) if b"." in name else ()
        return [member for member in group if member.name.lower() == name]

    def _of_version(self, stem: bytes) -> list[Member]:
        """Return the file of which darktable keeps a further version: `a_01.cr2.xmp` beside `a.cr2`."""
        version = _VERSION_OF_DARKTABLE.fullmatch(stem)
        return self._of_name(version[1] + version[2]) if version else []

    def _by_other_name(self, stem: bytes, extension: bytes) -> list[Member] | None:
        """Return the files that a sidecar belongs to whose name says so in its maker's way."""
        apple = _OF_APPLE.fullmatch(stem)
        if apple and extension == b"aae":
            return self._by_stem.get(b"img_" + apple[1])
        gopro = _PREVIEW_OF_GOPRO.fullmatch(stem)
        if gopro and extension == b"lrv":
            return self._by_stem.get(b"gh" + gopro[1]) or self._by_stem.get(b"gx" + gopro[1])
        return None

"""Which files of one folder belong together by their names: the rows of the second table of docs/identity.md."""

from __future__ import annotations

import pytest

from tui.config import default_config
from tui.library.companions.names import Member, Owners, find_main_files, group_by_stem
from tui.records import Kind

KINDS = default_config().scan.kind_by_extension


def members(*names: str) -> list[Member]:
    """Return media files with these names; `name=20s` gives a playing time."""
    found = []
    for number, text in enumerate(names, 1):
        name, _, seconds = text.partition("=")
        duration = int(seconds[:-1]) * 1000 if seconds else None
        extension = name.rpartition(".")[2].lower()
        kind = KINDS.get(extension.encode(), Kind.IMAGE)
        found.append(Member(number, name.encode(), kind, extension, duration))
    return found


@pytest.mark.parametrize(
    ("names", "companions"),
    [
        (["IMG_1.CR2", "IMG_1.JPG"], {"IMG_1.JPG": "IMG_1.CR2"}),
        (["img_1.cr2", "IMG_1.JPG"], {"IMG_1.JPG": "img_1.cr2"}),
        (["IMG_1.ARW", "IMG_1.HIF", "IMG_1.JPG"], {"IMG_1.HIF": "IMG_1.ARW", "IMG_1.JPG": "IMG_1.ARW"}),
        (["IMG_1.CR2", "IMG_1.DNG", "IMG_1.JPG"], {"IMG_1.JPG": "IMG_1.CR2"}),
        (["IMG_1.CR2", "IMG_1.TIF", "IMG_1.psd"], {}),
        (["IMG_1.CR2", "IMG_2.JPG", "IMG_1_2.JPG", "IMG_1.edited.JPG"], {}),
        (["IMG_1.JPG", "IMG_1.HEIC", "IMG_1.PNG"], {}),
        (["IMG_1.HEIC", "IMG_1.MOV"], {"IMG_1.MOV": "IMG_1.HEIC"}),
        (["IMG_1.JPG", "img_1.mov=3s"], {"img_1.mov": "IMG_1.JPG"}),
        (["IMG_1.JPG", "IMG_1.MOV=10s"], {"IMG_1.MOV": "IMG_1.JPG"}),
        (["IMG_1.JPG", "IMG_1.MOV=11s"], {}),
        (["IMG_1.JPG", "IMG_1.MP4"], {}),
        (["IMG_1.CR2", "IMG_1.MOV"], {}),
        (["IMG_1.HEIC", "IMG_1.JPG", "IMG_1.MOV"], {"IMG_1.MOV": "IMG_1.HEIC"}),
        (["IMG_1.DNG", "IMG_1.HEIC", "IMG_1.MOV"], {"IMG_1.HEIC": "IMG_1.DNG", "IMG_1.MOV": "IMG_1.DNG"}),
        (["IMG_1.HEIC", "IMG_E1.HEIC"], {"IMG_E1.HEIC": "IMG_1.HEIC"}),
        (["IMG_E1.HEIC", "IMG_E2.JPG"], {}),
        (
            ["IMG_1.HEIC", "IMG_1.MOV", "IMG_E1.JPG", "IMG_E1.MOV"],
            {"IMG_1.MOV": "IMG_1.HEIC", "IMG_E1.JPG": "IMG_1.HEIC", "IMG_E1.MOV": "IMG_1.HEIC"},
        ),
        (["IMG_1.MOV", "IMG_E1.MOV", "IMG_E1.JPG"], {"IMG_E1.MOV": "IMG_1.MOV"}),
        (["IMG_EAST.JPG", "IMG_AST.JPG"], {}),
        (["a", "a.jpg", "song.mp3", "song.jpg"], {}),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else None,
)  # fmt: skip
def test_main_files(names: list[str], companions: dict[str, str]) -> None:
    files = members(*names)
    name_of = {member.file_id: member.name.decode() for member in files}
    for order in (files, files[::-1]):
        found = find_main_files(group_by_stem(order))
        assert {name_of[child]: name_of[main] for child, main in found.items()} == companions


@pytest.mark.parametrize(
    ("still", "film", "duration", "paired"),
    [
        ("A", "A", "3s", True),
        ("A", "A", "20s", True),
        ("A", "B", "3s", False),
        ("A", None, "3s", True),
        (None, "B", "20s", False),
        ("", "B", "3s", True),
    ],
)
def test_identifiers_say_more_than_names(
    still: str | None, film: str | None, duration: str, paired: bool
) -> None:
    files = members("IMG_1.HEIC", f"IMG_1.MOV={duration}")
    found = find_main_files(group_by_stem(files), {1: still, 2: film}.get)
    assert found == ({2: 1} if paired else {})


@pytest.mark.parametrize(
    ("sidecar", "names", "owner"),
    [
        ("IMG_1.CR2.xmp", ["IMG_1.CR2", "IMG_1.JPG"], "IMG_1.CR2"),
        ("IMG_1.JPG.xmp", ["IMG_1.CR2", "IMG_1.JPG"], "IMG_1.JPG"),
        ("IMG_1.xmp", ["IMG_1.JPG", "IMG_1.CR2"], "IMG_1.CR2"),
        ("IMG_1.xmp", ["IMG_1.MOV", "IMG_1.HEIC"], "IMG_1.HEIC"),
        ("img_1.XMP", ["IMG_1.JPG"], "IMG_1.JPG"),
        ("img_1.xmp", ["IMG_1.JPG", "img_1.jpg"], "img_1.jpg"),
        ("IMG_1.jpg.xmp", ["IMG_1.JPG", "IMG_1.jpg"], "IMG_1.jpg"),
        ("song.xmp", ["song.mp3"], "song.mp3"),
        ("IMG_1_01.CR2.xmp", ["IMG_1.CR2"], "IMG_1.CR2"),
        ("IMG_1_01.CR2.xmp", ["IMG_1.CR2", "IMG_1_01.CR2"], "IMG_1_01.CR2"),
        ("IMG_1.xmp", ["IMG_10.JPG", "IMG_2.JPG"], None),
        ("IMG_1.AAE", ["IMG_1.HEIC", "IMG_1.MOV"], "IMG_1.HEIC"),
        ("IMG_1.AAE", ["IMG_1.MOV"], "IMG_1.MOV"),
        ("IMG_O1.AAE", ["IMG_1.HEIC", "IMG_E1.HEIC"], "IMG_1.HEIC"),
        ("IMG_E1.AAE", ["IMG_1.HEIC", "IMG_E1.HEIC"], "IMG_E1.HEIC"),
        ("IMG_E1.AAE", ["IMG_1.HEIC"], "IMG_1.HEIC"),
        ("IMG_O1.xmp", ["IMG_1.HEIC"], None),
        ("MVI_1.THM", ["MVI_1.AVI", "MVI_1.JPG"], "MVI_1.AVI"),
        ("MVI_1.THM", ["MVI_1.JPG"], None),
        ("CRW_1.THM", ["CRW_1.CRW", "CRW_1.JPG"], "CRW_1.CRW"),
        ("GOPR0001.LRV", ["GOPR0001.MP4"], "GOPR0001.MP4"),
        ("GL010001.LRV", ["GX010001.MP4"], "GX010001.MP4"),
        ("GL010001.LRV", ["GH010001.MP4", "GH020001.MP4"], "GH010001.MP4"),
        ("DJI_1.LRF", ["DJI_1.MP4"], "DJI_1.MP4"),
        (".xmp", ["IMG_1.JPG"], None),
    ],
)
def test_owner_of_a_sidecar(sidecar: str, names: list[str], owner: str | None) -> None:
    files = members(*names)
    name_of = {member.file_id: member.name.decode() for member in files}
    for order in (files, files[::-1]):
        groups = group_by_stem(order)
        found = Owners(groups, find_main_files(groups)).owner_of(sidecar.encode())
        assert (name_of[found] if found else None) == owner

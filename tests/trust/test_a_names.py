"""Section A of the threats: hostile file names, through the real program and the real ExifTool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.media import jpeg_bytes, write_file

if TYPE_CHECKING:
    from tests.trust.ground import Ground


def test_1_a_name_that_injects_a_condition(ground: Ground) -> None:
    hostile = b'x\n-if\nsystem("touch PWNED");1\nvictim.jpg'
    write_file(bytes(ground.media) + b"/" + hostile, jpeg_bytes(1))
    write_file(ground.media / "victim.jpg", jpeg_bytes(2))
    ground.begin()
    assert ground.scan().code == 0
    assert len(ground.found()) == 2
    assert not list(ground.folder.rglob("PWNED*"))

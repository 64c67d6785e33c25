"""A folder that is named through a link is the folder that the link leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.media import jpeg_bytes, write_file
from tests.terminal.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from pathlib import Path


def test_a_link_on_the_command_line_shows_the_files_it_leads_to(tmp_path: Path) -> None:
    write_file(tmp_path / "disk/IMG_0042.jpg", jpeg_bytes(1))
    (tmp_path / "Pictures").symlink_to(tmp_path / "disk")
    terminal = PseudoTerminal.yapmo("--library", str(tmp_path / "l.yapmo"), str(tmp_path / "Pictures"))
    try:
        terminal.wait_for("IMG_0042.jpg")
    finally:
        terminal.send("q")
        terminal.wait_end()

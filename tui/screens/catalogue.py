"""What the screens ask the library, in the shape in which they show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.library.database import Library
    from tui.widgets.folder_tree import FolderMark


async def folder_marks(library: Library, folders: tuple[bytes, ...]) -> dict[bytes, FolderMark]:
    """Return what the library knows of the roots, and of the folders in each of `folders` (absolute paths)."""
    return {}

"""Is one path inside another?"""

from __future__ import annotations

import pytest

from tui.paths import is_inside


@pytest.mark.parametrize(
    ("path", "folder", "inside"),
    [
        (b"/srv/photos", b"/srv/photos", True),
        (b"/srv/photos/a", b"/srv/photos", True),
        (b"/srv/photos/a", b"/srv/photos/", True),
        (b"/srv/photos2", b"/srv/photos", False),
        (b"/srv", b"/srv/photos", False),
        (b"/srv", b"/", True),
        (b"/", b"/", True),
        (b"a/b", b"a", True),
        (b"ab", b"a", False),
        (b"a", b"", True),
        (b"", b"", True),
        (b"", b"a", False),
    ],
)
def test_a_path_is_inside_a_folder(path: bytes, folder: bytes, *, inside: bool) -> None:
    assert is_inside(path, folder) is inside

"""Is one path inside another?"""

from __future__ import annotations

import os

import pytest

from tui.paths import is_inside, trust_only_absolute_programs


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


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/usr/bin:/bin", "/usr/bin:/bin"),
        (".:/usr/bin::bin:/bin", "/usr/bin:/bin"),
        (".", os.defpath),
        ("", os.defpath),
    ],
)
def test_relative_entries_of_path_are_not_searched(
    monkeypatch: pytest.MonkeyPatch, path: str, kept: str
) -> None:
    """An empty PATH means the working directory, so there is never one."""
    monkeypatch.setenv("PATH", path)
    trust_only_absolute_programs()
    assert os.environ["PATH"] == kept

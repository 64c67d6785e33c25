"""A thread that changes a tree of media as fast as people with ten hands would, in an order that a seed decides."""

from __future__ import annotations

import contextlib
import os
import threading
from random import Random
from typing import TYPE_CHECKING, Self

from tests.media import encoded_bytes, jpeg_bytes, write_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAUSE_S = 0.001
"""Between two changes."""

MOST_FILES = 150


class Storm:
    """Creates, rewrites, replaces, moves and deletes files and folders below `root` until it is over.

    At every end of a `with` block each file that is there is a sound one.

    Attributes:
        changes: how many changes were made.
    """

    def __init__(self, root: Path, seed: int) -> None:
        """Fill `root` with some folders of media."""
        self.changes = 0
        self._root = root
        self._random = Random(seed)
        self._contents = {
            "jpg": [jpeg_bytes(number) for number in range(6)],
            "mp3": [encoded_bytes("mp3", 0, (("title", f"Song {number}"),)) for number in range(2)],
            "xmp": [
                b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
                b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>",
            ],
        }
        self._number = 0
        self._failure: BaseException | None = None
        self._ways: list[Callable[[], None]] = [
            self._create, self._create, self._rewrite, self._grow, self._replace, self._move, self._move, self._swap,
            self._move_away_and_back, self._delete, self._move_folder, self._delete_folder,
        ]  # fmt: skip
        for _ in range(MOST_FILES // 2):
            self._create()

    def __enter__(self) -> Self:
        """Begin."""
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._rage, name="storm", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, once the change at hand is made."""
        self._is_over.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _rage(self) -> None:
        try:
            while not self._is_over.wait(PAUSE_S):
                with contextlib.suppress(FileNotFoundError):
                    self._random.choice(self._ways)()
                    self.changes += 1
        except BaseException as failure:
            self._failure = failure

    def _files(self) -> list[str]:
        return sorted(os.path.join(here, name) for here, _, names in os.walk(self._root) for name in names)

    def _folders(self) -> list[str]:
        return sorted(here for here, _, _ in os.walk(self._root))

    def _some_file(self) -> str:
        files = self._files()
        if not files:
            raise FileNotFoundError
        return self._random.choice(files)

    def _free_path(self, extension: str) -> str:
        self._number += 1
        folder = self._random.choice(self._folders())
        if self._random.random() < 0.2:
            folder = os.path.join(folder, f"folder {self._number % 7}")
        # names come again, so that another file lies where one has gone from
        return os.path.join(folder, f"file {self._number % 97}.{extension}")

    def _content(self, path: str) -> bytes:
        tail = b"" if path.endswith("xmp") else b"%d" % self._random.randrange(1000)
        return self._random.choice(self._contents[path.rpartition(".")[2]]) + tail

    def _create(self) -> None:
        if len(self._files()) > MOST_FILES:
            self._delete()
        path = self._free_path(self._random.choice(("jpg", "jpg", "jpg", "mp3", "xmp")))
        write_file(path, self._content(path))

    def _rewrite(self) -> None:
        path = self._some_file()
        with open(path, "r+b") as file:
            file.truncate()
            content = self._content(path)
            for begin in range(0, len(content), 512):
                file.write(content[begin : begin + 512])
                file.flush()

    def _grow(self) -> None:
        path = self._some_file()
        if not path.endswith("xmp"):
            with open(path, "ab") as file:
                file.write(b"more")

    def _replace(self) -> None:
        path = self._some_file()
        write_file(f"{path}.part", self._content(path))
        os.replace(f"{path}.part", path)

    def _move(self) -> None:
        path = self._some_file()
        target = self._free_path(path.rpartition(".")[2])
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(path, target)

    def _swap(self) -> None:
        one, other = self._some_file(), self._some_file()
        if one != other and one.rpartition(".")[2] == other.rpartition(".")[2]:
            os.rename(one, f"{one}.part")
            os.rename(other, one)
            os.rename(f"{one}.part", other)

    def _move_away_and_back(self) -> None:
        path = self._some_file()
        os.rename(path, f"{path}.part")
        self._is_over.wait(20 * PAUSE_S)
        os.rename(f"{path}.part", path)

    def _delete(self) -> None:
        os.unlink(self._some_file())

    def _move_folder(self) -> None:
        folder, target = self._random.choice(self._folders()), self._random.choice(self._folders())
        if folder != str(self._root) and not f"{target}/".startswith(f"{folder}/"):
            new = os.path.join(target, f"folder {self._number % 11}")
            if not os.path.exists(new):
                os.rename(folder, new)

    def _delete_folder(self) -> None:
        here, folders, names = self._random.choice(list(os.walk(self._root)))
        if here != str(self._root) and not folders:
            for name in names:
                os.unlink(os.path.join(here, name))
            os.rmdir(here)

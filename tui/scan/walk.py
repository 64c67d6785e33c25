"""The walk: which media files does a directory tree hold?

Own stack of `scandir`, one listing a folder, every OSError a problem. `os.walk` is not used: it silently
returns nothing for what it cannot list.
"""

from __future__ import annotations

import errno
import heapq
import os
import stat
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

from tui.paths import is_inside
from tui.records import FoundSidecar, Kind, Problem, Stage
from tui.scan.ignore import IgnoreRules, read_ignore_file
from tui.scan.listing import WalkedFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from tui.scan.cancel import CancelToken

IGNORE_FILE = b".yapmoignore"
"""Name of the file in any folder whose gitignore patterns hold for that folder and all below."""

_DOT = ord(".")
_CHECK_EVERY = 256
"""Entries between two looks at the cancel token."""


@dataclass(frozen=True, slots=True)
class WalkOptions:
    """What a walk looks for.

    Attributes:
        kinds: media kind by lower-case extension without dot.
        ignore: the patterns of the configuration.
        hidden: whether names with a leading dot count.
        follow_symlinks: whether links to files and folders are followed.
        one_file_system: whether other file systems mounted inside the root are left out.
        sidecars: lower-case extensions of sidecars, without dot.
    """

    kinds: Mapping[bytes, Kind]
    ignore: IgnoreRules
    hidden: bool = False
    follow_symlinks: bool = False
    one_file_system: bool = False
    sidecars: Collection[bytes] = ()


@dataclass(slots=True)
class _Folder:
    """A folder to be listed: where it is and which rules hold inside.

    Attributes:
        path: relative to the root.
        rules: those of the configuration and of the ignore files above.
        chain: device and inode of the folders above it, where links are followed.
        is_link: whether it is itself a link.
        below_link: whether it is a link or was reached through one.
    """

    path: bytes
    rules: IgnoreRules
    chain: tuple[tuple[int, int], ...] = ()
    is_link: bool = False
    below_link: bool = False


@dataclass(slots=True)
class _Others:
    """The folders met in one folder, and what those below inherit from it."""

    folder: _Folder
    rules: IgnoreRules
    chain: tuple[tuple[int, int], ...]
    below: list[_Folder] = field(default_factory=list)


class Walk:
    """One walk of one root, or of a part of it.

    Iterate over it in a thread of its own: it blocks on the disk. `prefer` may be called from any thread.

    Where links are followed, folders that are links wait until all others have been listed, so that a folder which
    several paths lead to is visited once and by the same path in every scan, its own if that lies in the root.
    """

    def __init__(
        self,
        root: bytes,
        options: WalkOptions,
        token: CancelToken,
        *,
        start: bytes = b"",
        wait_for_disk: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare a walk.

        Args:
            root: absolute path.
            options: what is looked for.
            token: stops and pauses the walk.
            start: the part to walk, relative to the root; `b""` for all of it.
            wait_for_disk: called where something could not be looked at; returns when the disk is there, and whether it
                was away.
        """
        self._wait_for_disk = wait_for_disk
        self._root = root
        self._options = options
        self._token = token
        self._start = start
        self._stack: list[_Folder] = []
        self._links: list[tuple[bytes, _Folder]] = []
        self._visited: set[tuple[int, int]] = set()
        self._preferred: bytes | None = None
        self._device = 0
        self._ignored_name = options.ignore.test_for_files(options.kinds, hidden=options.hidden)

    def prefer(self, folder: bytes | None) -> None:
        """Enter folders at or below `folder` (relative to the root) before all others."""
        self._preferred = folder

    def __iter__(self) -> Iterator[WalkedFolder]:
        """Yield a listing for every folder, a folder before what it holds.

        Raises:
            ScanCancelledError: the scan was aborted.
            OSError: the root itself cannot be looked at.
        """
        self._device = os.stat(self._root).st_dev
        rules = self._rules_above(self._start)
        self._stack = [_Folder(self._start, rules)]
        while self._stack or self._links:
            self._token.check()
            listing, below = self._list_surely(self._take())
            self._push(below, listing)
            yield listing

    def _take(self) -> _Folder:
        """Take the next folder off the stack, a preferred one if there is any."""
        if not self._stack:
            return heapq.heappop(self._links)[1]
        preferred = self._preferred
        if preferred is not None:
            for index in range(len(self._stack) - 1, -1, -1):
                path = self._stack[index].path
                if is_inside(path, preferred) or is_inside(preferred, path):
                    return self._stack.pop(index)
            self._preferred = None
        return self._stack.pop()

    def _rules_above(self, start: bytes) -> IgnoreRules:
        """Return the rules that hold in `start`: those of the configuration and of the ignore files above it."""
        rules = self._options.ignore
        parts = start.split(b"/") if start else []
        for depth in range(len(parts)):
            above = b"/".join(parts[:depth])
            found = read_ignore_file(os.path.join(self._root, above, IGNORE_FILE), above)
            rules = rules.with_file(found.spec) if found.spec else rules
        return rules

    def _list_surely(self, folder: _Folder) -> tuple[WalkedFolder, list[_Folder]]:
        """List a folder; once more where something could not be looked at, and again after each absence of the disk."""
        listing, below = self._list(folder)
        again = listing.troubled
        while again:
            was_away = self._wait_for_disk()
            listing, below = self._list(folder, once_more=True)
            again = was_away and listing.troubled
        return listing, below

    def _list(self, folder: _Folder, *, once_more: bool = False) -> tuple[WalkedFolder, list[_Folder]]:
        """List a folder; return the listing, and the folders in it that are to be entered."""
        listing = WalkedFolder(folder.path)
        below: list[_Folder] = []
        absolute = os.path.join(self._root, folder.path) if folder.path else self._root
        try:
            status = os.stat(absolute) if self._options.follow_symlinks else os.lstat(absolute)
            listing.device = status.st_dev
            identity = (status.st_dev, status.st_ino)
            if identity in folder.chain:
                self._report(listing, absolute, "a link leads back to a folder above it; not entered")
                return listing, below
            if folder.below_link and identity in self._visited and not once_more:
                listing.ignored = 1
                return listing, below
            if self._options.follow_symlinks:
                self._visited.add(identity)
            with os.scandir(absolute) as entries:
                rules = self._read_rules(absolute, folder, listing)
                below = self._sort_entries(entries, folder, rules, listing, (*folder.chain, identity))
        except OSError as error:
            listing.readable = False
            listing.troubled = _is_trouble(error)
            self._report(listing, absolute, f"cannot read the folder: {describe(error)}")
        return listing, below

    def _read_rules(self, absolute: bytes, folder: _Folder, listing: WalkedFolder) -> IgnoreRules:
        found = read_ignore_file(os.path.join(absolute, IGNORE_FILE), folder.path)
        if found.error:
            self._report(listing, os.path.join(absolute, IGNORE_FILE), found.error)
        return folder.rules.with_file(found.spec) if found.spec else folder.rules

    def _sort_entries(
        self,
        entries: Iterator[os.DirEntry[bytes]],
        folder: _Folder,
        rules: IgnoreRules,
        listing: WalkedFolder,
        chain: tuple[tuple[int, int], ...],
    ) -> list[_Folder]:
        """Put each entry of a folder where it belongs: files, ignored or problems; return the folders to be entered.

        What a file costs here it costs a million times, so nothing is called for a plain one that the system can tell
        in one call.
        """
        kinds, files, hidden = self._options.kinds, listing.files, self._options.hidden
        is_ignored = self._test_files(folder, rules)
        add_name, add_kind, add_size = files.names.append, files.kinds.append, files.sizes.append
        add_mtime_ns, add_inode, add_links = files.mtimes_ns.append, files.inodes.append, files.links.append
        others = _Others(folder, rules, chain)
        for number, entry in enumerate(entries):
            if not number % _CHECK_EVERY:
                self._token.check()
            name = entry.name
            dot = name.rfind(b".")
            kind = kinds.get(name[dot + 1 :].lower()) if dot >= 0 else None
            try:
                if kind is None or not entry.is_file(follow_symlinks=False):
                    self._sort_other(entry, kind, others, listing)
                    continue
                if (not hidden and name[0] == _DOT) or (is_ignored is not None and is_ignored(name)):
                    listing.ignored += 1
                    continue
                status = entry.stat(follow_symlinks=False)
                try:
                    add_size(status.st_size)
                    add_mtime_ns(status.st_mtime_ns)
                    add_inode(status.st_ino)
                    add_links(status.st_nlink)
                    add_kind(kind)
                    add_name(name)
                except OverflowError:
                    files.add_clamped(name, kind, status)
            except OSError as error:
                self._report(listing, entry.path, f"cannot be looked at: {describe(error)}")
                listing.troubled = listing.troubled or _is_trouble(error)
                if error.errno != errno.ENOENT:
                    listing.unknown.append(name)
        return others.below

    def _test_files(self, folder: _Folder, rules: IgnoreRules) -> Callable[[bytes], bool] | None:
        """Return what tells whether a media file of `folder` is ignored by its name; None when none can be."""
        if rules.judge_paths_of_files:
            return partial(rules.match, folder.path, is_folder=False)
        return self._ignored_name

    def _sort_other(
        self, entry: os.DirEntry[bytes], kind: Kind | None, others: _Others, listing: WalkedFolder
    ) -> None:
        """Put an entry that is no plain media file where it belongs."""
        options, folder, rules = self._options, others.folder, others.rules
        is_folder = entry.is_dir(follow_symlinks=options.follow_symlinks)
        if kind is None and not is_folder:
            self._add_sidecar(entry, folder, rules, listing)
        elif self._is_left_out(entry, folder, rules, is_folder=is_folder):
            listing.ignored += 1
        elif is_folder:
            others.below.append(self._folder_below(entry, folder, rules, others.chain))
        elif kind is not None:
            self._add_file(entry, kind, listing)

    def _push(self, below: list[_Folder], listing: WalkedFolder) -> None:
        """Let the folders below be entered next, in the order of their names; links when all else is done."""
        below.sort(key=lambda item: item.path, reverse=True)
        listing.folders = [item.path for item in reversed(below)]
        for item in below:
            if item.is_link:
                heapq.heappush(self._links, (item.path, item))
            else:
                self._stack.append(item)

    def _folder_below(
        self,
        entry: os.DirEntry[bytes],
        folder: _Folder,
        rules: IgnoreRules,
        chain: tuple[tuple[int, int], ...],
    ) -> _Folder:
        path = _join(folder.path, entry.name)
        if not self._options.follow_symlinks:
            return _Folder(path, rules)
        is_link = entry.is_symlink()
        return _Folder(path, rules, chain, is_link=is_link, below_link=is_link or folder.below_link)

    def _is_left_out(
        self, entry: os.DirEntry[bytes], folder: _Folder, rules: IgnoreRules, *, is_folder: bool
    ) -> bool:
        options, name = self._options, entry.name
        if name[:1] == b"." and not options.hidden:
            return True
        if not options.follow_symlinks and entry.is_symlink():
            return True
        if rules.match(folder.path, name, is_folder=is_folder):
            return True
        if is_folder and options.one_file_system:
            return entry.stat(follow_symlinks=options.follow_symlinks).st_dev != self._device
        return False

    def _add_file(self, entry: os.DirEntry[bytes], kind: Kind, listing: WalkedFolder) -> None:
        """Add what has the name of a media file and may be none: the end of a link, a pipe, something that changed just now."""
        status = entry.stat(follow_symlinks=self._options.follow_symlinks)
        if not stat.S_ISREG(status.st_mode):
            self._report(listing, entry.path, f"is a {describe_type(status.st_mode)}, not a file; skipped")
        elif status.st_dev in _system_devices():  # reading `/proc/kmsg` takes away what it holds
            self._report(listing, entry.path, "leads into the system, to no file of a library; skipped")
        else:
            listing.files.add_clamped(entry.name, kind, status)

    def _add_sidecar(
        self, entry: os.DirEntry[bytes], folder: _Folder, rules: IgnoreRules, listing: WalkedFolder
    ) -> None:
        """Add an entry that is neither media file nor folder, if it is a sidecar."""
        name, options = entry.name, self._options
        if name[name.rfind(b".") + 1 :].lower() not in options.sidecars or b"." not in name:
            return
        if self._is_left_out(entry, folder, rules, is_folder=False):
            return
        status = entry.stat(follow_symlinks=options.follow_symlinks)
        if stat.S_ISREG(status.st_mode):
            listing.sidecars.append(FoundSidecar(name, status.st_size, status.st_mtime_ns))

    def _report(self, listing: WalkedFolder, path: bytes, message: str) -> None:
        listing.problems.append(Problem(path, Stage.WALK, message))


def _is_trouble(error: OSError) -> bool:
    """Tell whether an error may mean that the disk is away, or is over at a second look."""
    return error.errno not in (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG)


@cache
def _system_devices() -> frozenset[int]:
    """Return the device numbers of the file systems that are the kernel's own words (proc(5), sysfs(5))."""
    return frozenset(os.stat(folder).st_dev for folder in ("/proc", "/sys") if os.path.ismount(folder))


def describe(error: OSError) -> str:
    """Return what an OSError says, in a person's words and without the path."""
    known = {
        errno.EACCES: "permission denied",
        errno.ENAMETOOLONG: "the path is longer than the system allows (4,096 bytes); move the folder nearer to the root",
        errno.EIO: "input/output error (is the disk failing?)",
        errno.ELOOP: "links lead in a circle",
        errno.ENOENT: "it is no longer there",
    }
    return known.get(error.errno or 0) or (error.strerror or str(error)).lower()


def describe_type(mode: int) -> str:
    """Return what an `st_mode` that is no regular file is, in a person's words."""
    names = {
        stat.S_IFDIR: "folder",
        stat.S_IFIFO: "named pipe",
        stat.S_IFSOCK: "socket",
        stat.S_IFBLK: "block device",
        stat.S_IFCHR: "character device",
        stat.S_IFLNK: "link",
    }
    return names.get(stat.S_IFMT(mode), "special file")


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name

"""The frozen types that cross from room to room.

Nothing here does work: a record is what one room hands to the next. Paths are bytes
(`os.fsencode`), times of files are integer nanoseconds since the epoch, and every other number
carries its unit in its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

# records as well, in a module that every start can load quickly
from tui.metadata import HOT_FIELDS as HOT_FIELDS
from tui.metadata import LONG_FIELDS as LONG_FIELDS
from tui.metadata import Kind as Kind  # noqa: TC001  # for whoever imports it from here
from tui.metadata import Metadata as Metadata  # noqa: TC001  # likewise

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA_VERSION = 1
"""Version of YAPMO's own extraction rules; raising it makes every file's metadata pending again."""


class FileState(StrEnum):
    """Whether a catalogued file was at its path when the scan last looked."""

    PRESENT = "present"
    MISSING = "missing"


class StageState(IntEnum):
    """The state of one stage (metadata, fingerprint …) of one file, as stored in the library.

    Exactly one terminal outcome, DONE or FAILED, ends a stage.
    """

    PENDING = 0
    DONE = 1
    FAILED = 2


class Stage(StrEnum):
    """A stage of the scan, as named in problems and progress."""

    WALK = "walk"
    METADATA = "metadata"
    FINGERPRINT = "fingerprint"
    WRITE = "write"


class ScanState(StrEnum):
    """How a scan stands or how it ended."""

    RUNNING = "running"
    PAUSED = "paused"
    ABORTING = "aborting"
    COMPLETED = "completed"
    ABORTED = "aborted"
    FAILED = "failed"


def stored_inode(inode: int) -> int:
    """Return an inode number as records hold it and the library compares it: its lower 63 bits, what SQLite can hold."""
    return inode & (2**63 - 1)


class FoundFile(NamedTuple):
    """A media file as the walk saw it: `lstat` of one entry of a folder.

    A tuple, because a walk makes a million of them.
    """

    name: bytes
    kind: Kind
    size: int
    mtime_ns: int
    inode: int
    links: int = 1


class FoundSidecar(NamedTuple):
    """A small file beside a media file that says something about it (.xmp, .aae …), as the walk saw it."""

    name: bytes
    size: int
    mtime_ns: int


class KnownFile(NamedTuple):
    """A file as the library knows it, with what a scan compares. A tuple, because a rescan makes a million of them."""

    file_id: int
    name: bytes
    size: int
    mtime_ns: int
    inode: int
    links: int
    kind: str
    state: FileState


@dataclass(frozen=True, slots=True)
class FolderUpdate:
    """What the library has to learn about one folder; unchanged files are not in it.

    Attributes:
        path: of the folder, relative to its root, `b""` for the root itself.
        file_system: identity of its file system where that differs from the root's, else None.
        is_elsewhere: whether that is another one than the library has for the folder, and what was found there says that it
            is the folder that the library knows.
        stable_inodes: False on file systems whose inode numbers change from mount to mount.
        new: files at paths that the library does not know.
        changed: id of a known file, and what was found: another size or mtime, the same inode.
        replaced: id of a known file, and what was found at its path: another inode.
        returned: id of a missing file, and what was found: it is back as it was.
        restated: id of a file that is as it was, and what was found: another kind by now, or the first or last of several
            hard links.
        gone: ids of present files that the folder no longer holds.
        sidecars: those that are new or changed.
        sidecars_gone: names of those that the folder no longer holds.
        digest: of the listing, to be kept if the library, once it has learned this, has nothing to learn from it any
            more; None when that cannot be told from the listing.
        version: of the folder in the library when it was compared.
    """

    path: bytes
    file_system: str | None = None
    is_elsewhere: bool = False
    stable_inodes: bool = True
    new: tuple[FoundFile, ...] = ()
    changed: tuple[tuple[int, FoundFile], ...] = ()
    replaced: tuple[tuple[int, FoundFile], ...] = ()
    returned: tuple[tuple[int, FoundFile], ...] = ()
    restated: tuple[tuple[int, FoundFile], ...] = ()
    gone: tuple[int, ...] = ()
    sidecars: tuple[FoundSidecar, ...] = ()
    sidecars_gone: tuple[bytes, ...] = ()
    digest: bytes | None = None
    version: int = 0

    @property
    def is_empty(self) -> bool:
        """True when the library has nothing to learn."""
        return not (
            self.is_elsewhere
            or self.new
            or self.changed
            or self.replaced
            or self.returned
            or self.restated
            or self.gone
            or self.sidecars
            or self.sidecars_gone
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be done to one file or folder.

    Attributes:
        path: absolute path, bytes.
        stage: the stage that failed.
        message: one plain sentence for a person; may hold foreign text, so show it through `display()`.
        file_id: id of the file in the library, None when the path is no catalogued file (a folder, say).
        passing: whether it says nothing of the content of the file, which was away or changed; the next scan tries again.
    """

    path: bytes
    stage: Stage
    message: str
    file_id: int | None = None
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Extraction:
    """The terminal outcome of the metadata stage for one file.

    Attributes:
        file_id: the file in the library.
        size: size in bytes that was read; the outcome is void if the library meanwhile has another.
        mtime_ns: modification time that was read; void likewise.
        extractor: program that answered, such as `exiftool 12.57` or `mutagen 1.48.1`; empty if none did.
        metadata: the normalised record, None when the stage failed.
        all_tags: everything that the extractor said, tag name to value, as JSON text (UTF-8); None when it failed.
        error: why the stage failed, one plain sentence; None when it succeeded.
        path: where a stage that failed looked; the outcome is void if the library has the file elsewhere by now.
        passing: whether the failure says nothing of the content of the file; see `Problem`.
        warnings: what the extractor complained about although it answered.
    """

    file_id: int
    size: int
    mtime_ns: int
    extractor: str
    metadata: Metadata | None = None
    all_tags: bytes | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()
    path: bytes | None = None
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The terminal outcome of the fingerprint stage for one file.

    Attributes:
        file_id: the file in the library.
        size: size in bytes that was hashed.
        mtime_ns: modification time that was hashed; the outcome is void if the library has another.
        quick: xxh3_128 (16 bytes, big-endian) over the size and the first and last 64 KiB.
        full: xxh3_128 (16 bytes) over the whole content, None when that was not asked for.
        error: why the stage failed; None when it succeeded.
        elsewhere: whether it failed because nothing lies at the path by now, or another file.
        path: where a stage that failed looked; the outcome is void if the library has the file elsewhere by now.
    """

    file_id: int
    size: int
    mtime_ns: int
    quick: bytes | None = None
    full: bytes | None = None
    error: str | None = None
    elsewhere: bool = False
    path: bytes | None = None


@dataclass(frozen=True, slots=True)
class FileJob:
    """A file whose metadata or fingerprint is pending, as the library hands it to the scan.

    Attributes:
        file_id: id of the file.
        path: absolute path.
        kind: what it is.
        size: bytes, as the library knows it.
        mtime_ns: modification time, as the library knows it.
        folder_id: id of its folder.
        fingerprint_pending: whether its fingerprint is still to be taken.
        inode: inode, as the library knows it.
    """

    file_id: int
    path: bytes
    kind: Kind
    size: int
    mtime_ns: int
    folder_id: int
    fingerprint_pending: bool = True
    inode: int = 0

    @property
    def name(self) -> bytes:
        """Name in its folder."""
        return self.path.rpartition(b"/")[2]


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far one stage of a scan is.

    Attributes:
        stage: the stage.
        done: files (or folders for the walk) that reached an outcome in this scan.
        total: how many there are to do as far as is known; None while that is unknown.
        failed: outcomes that were failures.
        per_second: files a second over the last few seconds.
        bytes_per_second: bytes a second over the last few seconds (size of the files done).
        eta_s: seconds to the end at this rate; None while that is unknown.
        finished: True once the stage has nothing left.
    """

    stage: Stage
    done: int = 0
    total: int | None = None
    failed: int = 0
    per_second: float = 0.0
    bytes_per_second: float = 0.0
    eta_s: float | None = None
    finished: bool = False


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What one worker is at.

    Attributes:
        number: 1-based number in its pool, stable while the worker lives.
        kind: `exiftool` or `tags`.
        path: the file it reads now; None when it is idle.
        busy_s: seconds since that task began.
        done: tasks that it has answered.
        restarts: how often its process had to be replaced.
    """

    number: int
    kind: str
    path: bytes | None = None
    busy_s: float = 0.0
    done: int = 0
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class ScanCounters:
    """Counts of one scan.

    The files add up: after a completed scan that walked and whose roots could be believed,
    `files = new + changed + unchanged + moved + returned`. Missing files are in none of them. A scan that was
    aborted, or that held a root back (`ScanSummary.unavailable`), has met files that it decided nothing about;
    a scan of the fingerprints alone meets none, and counts those that it recognises as moved.

    Attributes:
        folders: folders that the walk came to, also those that could not be read.
        files: media files that the walk met.
        new: files that the library did not know.
        changed: files whose content changed since the last scan.
        unchanged: files that are as the library knows them.
        moved: files that are known from another path.
        missing: files that were present at the last scan and are gone.
        returned: files that were missing and are there again.
        metadata_done: files whose metadata this scan read.
        metadata_failed: files whose metadata it could not read.
        fingerprints_done: fingerprints that it took; a file of which two are needed counts twice.
        fingerprints_failed: those that it could not take.
        problems: problems that it met, in any stage.
        ignored: media files *and folders* left out by patterns, as hidden, as links or as another file system; what
            an ignored folder holds is not counted.
        bytes: sizes of all files met, in bytes, whether or not anything was read from them.
    """

    folders: int = 0
    files: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    moved: int = 0
    missing: int = 0
    returned: int = 0
    metadata_done: int = 0
    metadata_failed: int = 0
    fingerprints_done: int = 0
    fingerprints_failed: int = 0
    problems: int = 0
    ignored: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class ScanProcess:
    """The process that runs a scan, as its lease names it.

    Attributes:
        host: machine that it runs on.
        pid: its number there.
        since_ns: when the scan began, nanoseconds since the epoch.
        is_here: whether that is this machine, where it can also be killed; on another it can only be asked.
    """

    host: str
    pid: int
    since_ns: int
    is_here: bool = True


@dataclass(frozen=True, slots=True)
class ProgressSnapshot:
    """Everything that a front door shows of one running scan, at one instant.

    Attributes:
        scan_id: id in table `scan`.
        paths: what is being scanned.
        state: running, paused, … or how it ended.
        seconds: running time so far.
        counters: the counts.
        stages: one entry a stage, in the order of the flow.
        workers: what each worker is at.
        problems: the latest problems, newest last (at most 50).
        note: one sentence when the scan waits for something (a full disk, say); empty otherwise.
        process: the other process that runs the scan; None for a scan of this one.
    """

    scan_id: int
    paths: tuple[bytes, ...]
    state: ScanState
    seconds: float = 0.0
    counters: ScanCounters = ScanCounters()
    stages: tuple[StageProgress, ...] = ()
    workers: tuple[WorkerStatus, ...] = ()
    problems: tuple[Problem, ...] = ()
    note: str = ""
    process: ScanProcess | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Files of a path that seem gone and stay as they are until a person says that they were deleted.

    Attributes:
        path: what was scanned: a root, a folder in it, or one file; absolute.
        reason: what speaks against it, a sentence.
    """

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class ScanSummary:
    """How a scan ended.

    Attributes:
        scan_id: id in table `scan`.
        state: completed, aborted or failed.
        counters: the counts.
        seconds: running time.
        unreadable: True when a root or folder could not be read (exit code 1).
        unavailable: why the root was unavailable, or why the missing-files brake held (exit code 5); empty otherwise.
        doubts: the questions for a person among that: what a scan that accepts missing files would mark. A disk that
            is not there is no question.
        error: why the scan failed; empty otherwise.
        error_code: what the command line ends with for a scan that failed; 0 otherwise.
    """

    scan_id: int
    state: ScanState
    counters: ScanCounters
    seconds: float
    unreadable: bool = False
    unavailable: str = ""
    doubts: tuple[Doubt, ...] = ()
    error: str = ""
    error_code: int = 0


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of the library's table: what a list of files shows.

    Attributes:
        file_id: id of the file.
        path: absolute path, bytes.
        name: file name, bytes.
        kind: what it is.
        size: bytes.
        mtime_ns: modification time.
        state: present or missing.
        metadata_state: pending, done or failed.
        values: the hot metadata columns by name, without those that are None.
    """

    file_id: int
    path: bytes
    name: bytes
    kind: Kind
    size: int
    mtime_ns: int
    state: FileState
    metadata_state: StageState
    values: Mapping[str, Any] = field(default_factory=dict)

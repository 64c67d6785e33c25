"""Disks that fail in the middle of a scan: reads that fail or never return, roots that disappear and come back."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.media import jpeg_bytes, make_wav, write_file
from tests.trust.conftest import WHOLE
from tests.trust.mounts import FaultyDisk

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.trust.ground import Ground

pytestmark = pytest.mark.mounts

PATIENCE_S = 90.0
QUICK = "[exiftool]\ntimeout = 3.0\n[scan]\nmax_workers = 2\n"
"""Files whose reading hangs are given up soon."""


@pytest.fixture
def disk(ground: Ground) -> FaultyDisk:
    """A disk with some dozen pictures, connected."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("there is no /dev/fuse here, or it may not be used")
    disk = FaultyDisk(ground)
    for number in range(40):
        write_file(disk.content / f"{number % 4}" / f"{number}.jpg", jpeg_bytes(number))
    disk.connect()
    return disk


class RunningScan:
    """A scan of the media in a process of its own, its events read one by one."""

    def __init__(self, ground: Ground, *options: str) -> None:
        self._ground = ground
        self.process: subprocess.Popen[bytes] = ground.start("scan", "--json", *options, str(ground.media))
        self.events: list[dict[str, Any]] = []

    def wait_for(self, what: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return the first event from now on of which `what` is true."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE_S
        for line in self.process.stdout:
            self._ground.note_output("an event", line)
            self.events.append(json.loads(line))
            if what(self.events[-1]):
                return self.events[-1]
            assert time.monotonic() < deadline, self.events[-1]
        raise AssertionError(f"ended before: {self.events[-1:]}, {self.process.communicate()[1]!r}")

    def end(self) -> tuple[int, dict[str, Any]]:
        """Return the exit code and the last event, once it has ended."""
        last = self.wait_for(lambda event: event["event"] == "finished")
        _, stderr = self.process.communicate(timeout=PATIENCE_S)
        self._ground.note_output("stderr", stderr)
        return self.process.returncode, last

    def leave(self, disk: FaultyDisk, name: str) -> None:
        """Let the process end; one whose reads not even SIGKILL can end leaves when its disk is taken away."""
        if name == "stuck":
            disk.crash()
        _, stderr = self.process.communicate(timeout=10)
        self._ground.note_output("stderr", stderr)
        disk.crash()


def says(text: str) -> Callable[[dict[str, Any]], bool]:
    """Return what tells whether an event says that the scan waits for something."""
    return lambda event: text in event.get("note", "")


def test_a_read_that_fails_is_one_named_failure(ground: Ground, disk: FaultyDisk) -> None:
    bad = [b"1/eio.jpg", b"2/eio too.wav"]
    write_file(bytes(disk.content) + b"/" + bad[0], jpeg_bytes(100))
    make_wav(bytes(disk.content) + b"/" + bad[1])
    ground.failing = ground.paths(bad)
    ground.begin()
    outcome = ground.scan()
    assert outcome.code == 0
    assert outcome.objects[-1]["files"] == 42
    problems = ground.problems()
    assert set(problems) == ground.failing
    assert len(ground.found("problem:no")) == 40


@pytest.mark.parametrize("name", ["stuck", "hang"] if WHOLE else ["stuck"])
def test_a_read_that_never_returns_costs_its_time_and_one_file(
    ground: Ground, disk: FaultyDisk, name: str
) -> None:
    ground.configure(QUICK)
    bad = f"1/{name}.jpg".encode()
    write_file(bytes(disk.content) + b"/" + bad, jpeg_bytes(100))
    ground.failing = ground.paths([bad])
    ground.library_stays_apart = True  # media that hang cannot be compared
    scan = RunningScan(ground)
    last = scan.wait_for(lambda event: event["event"] == "finished")
    assert (last["state"], last["files"], last["metadata_done"]) == ("completed", 41, 40)
    assert (last["fingerprints_done"], last["problems"]) == (40, 2)
    scan.leave(disk, name)
    assert set(ground.problems()) == ground.failing


@pytest.mark.parametrize("name", ["hang", "stuck"] if WHOLE else ["hang"])
def test_an_abort_does_not_wait_for_a_read_that_never_returns(
    ground: Ground, disk: FaultyDisk, name: str
) -> None:
    write_file(disk.content / "1" / f"{name}.jpg", jpeg_bytes(100))
    ground.library_stays_apart = True
    scan = RunningScan(ground)
    scan.wait_for(lambda event: event.get("metadata_done", 0) >= 10)  # some wait behind the one that hangs
    scan.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    last = scan.wait_for(lambda event: event["event"] == "finished")
    assert last["state"] == "aborted"
    assert time.monotonic() - began < 10
    scan.leave(disk, name)


@pytest.mark.parametrize(
    "how", ["disconnect", "silent", "crash", "dead"] if WHOLE else ["disconnect", "silent"]
)
def test_39_a_root_that_disappears_in_a_scan_is_waited_for(
    ground: Ground, disk: FaultyDisk, how: str
) -> None:
    for number in range(4):  # the scan cannot end before they are let go
        write_file(disk.content / f"{number}" / f"late{number}.jpg", jpeg_bytes(100 + number))
    ground.begin()
    ground.library_stays_apart = not WHOLE  # the counts say enough
    disk.tell("hold")
    scan = RunningScan(ground)
    scan.wait_for(lambda event: event.get("metadata_done", 0) >= 1)
    if how in ("disconnect", "crash"):
        getattr(disk, how)()
    else:
        disk.tell(how)
    event = scan.wait_for(says("waiting for the disk of"))
    assert str(ground.media) in event["note"]
    if how == "crash":
        disk.disconnect()
    if how in ("disconnect", "crash"):
        disk.connect()
    disk.recover()
    code, last = scan.end()
    assert (code, last["state"], last["problems"], last["missing"]) == (0, "completed", 0, 0), last
    assert (last["files"], last["metadata_done"], last["fingerprints_done"]) == (44, 44, 44)


def test_39_a_root_that_disappears_in_the_walk_is_waited_for(ground: Ground, disk: FaultyDisk) -> None:
    assert ground.scan().code == 0
    for number in range(80):
        write_file(disk.content / "many" / f"{number:03}" / "a.jpg", jpeg_bytes(number))
    ground.begin()
    disk.tell("slow")
    scan = RunningScan(ground)
    scan.wait_for(lambda event: event.get("folders", 0) >= 5)
    disk.disconnect()
    scan.wait_for(says("waiting for the disk of"))
    disk.recover()
    disk.connect()
    code, last = scan.end()
    assert (code, last["state"], last["missing"], last["problems"]) == (0, "completed", 0, 0), last
    assert (last["files"], last["new"], last["folders"]) == (120, 80, 86)


def test_an_abort_does_not_wait_for_a_root_that_is_away(ground: Ground, disk: FaultyDisk) -> None:
    write_file(disk.content / "0" / "late.jpg", jpeg_bytes(100))
    ground.begin()
    ground.library_stays_apart = not WHOLE
    disk.tell("hold")
    scan = RunningScan(ground)
    scan.wait_for(lambda event: event.get("metadata_done", 0) >= 1)
    disk.disconnect()
    scan.wait_for(says("waiting for the disk of"))
    scan.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    code, last = scan.end()
    assert (code, last["state"]) == (3, "aborted")
    assert time.monotonic() - began < 10
    disk.recover()
    disk.connect()
    assert ground.scan().code == 0

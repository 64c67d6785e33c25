"""Section F of the threats: the whole program over a tree that does not hold still, and over thousands of damaged files."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.process_tree import MemoryWatch
from tests.trust import oracle
from tests.trust.conftest import WHOLE
from tests.trust.mutants import write_mutants
from tests.trust.storm import Storm

if TYPE_CHECKING:
    from tests.trust.ground import Ground

SEED = 50
MUTANTS = 500 if WHOLE else 150
"""Mutants of one scan."""

STORMS = 3 if WHOLE else 1
SCANS_IN_A_STORM = 4 if WHOLE else 2
BATCHES = 20 if WHOLE else 1
MEMORY_LIMIT = 1_500_000_000


@pytest.mark.parametrize("seed", range(10) if WHOLE else (SEED,))
def test_49_a_tree_that_changes_while_it_is_scanned(ground: Ground, seed: int) -> None:
    """No crash while it does; the first scan after that reads every file, and ends equal to a fresh one."""
    ground.media_may_change = True
    storm = Storm(ground.media, seed)
    for _ in range(STORMS):
        with storm:
            for _ in range(SCANS_IN_A_STORM):
                outcome = ground.scan("--accept-missing")
                assert outcome.code in (0, 1), f"seed {seed}: {outcome}"
                check_no_fault(ground)
        assert ground.scan("--accept-missing").code == 0
        assert not ground.problems(), f"seed {seed}"
    assert storm.changes > 50 * STORMS


@pytest.mark.parametrize("batch", range(BATCHES))
def test_50_mutants_of_the_corpus(ground: Ground, batch: int) -> None:
    """Every one ends as read or as a named problem; no exception of the program's own, no hang, no changed byte."""
    numbers = range(batch * MUTANTS, (batch + 1) * MUTANTS)
    write_mutants(bytes(ground.media), SEED, numbers)
    ground.begin()
    ground.failing, ground.names_of_tags = None, True
    process = ground.start("scan", "--json", "--workers", "2", str(ground.media))
    with MemoryWatch(process.pid) as watch:
        stdout, stderr = process.communicate(timeout=1200)
    ground.note_output("stdout", stdout)
    ground.note_output("stderr", stderr)
    finished = json.loads(stdout.splitlines()[-1])
    reasons = Counter(reason_of(message) for message in ground.problems().values())
    print(json.dumps({"batch": batch, "peak": watch.peak_bytes, **finished, "reasons": reasons}))
    assert (process.returncode, finished["state"]) == (0, "completed"), f"seed {SEED}: {stderr!r}"
    assert finished["files"] == finished["new"] == MUTANTS
    assert finished["metadata_done"] + finished["metadata_failed"] == MUTANTS
    assert finished["fingerprints_failed"] == 0
    assert not oracle.pending_files(ground.library)
    assert finished["metadata_failed"] < MUTANTS / 2, "most mutants are still to be read"
    assert watch.peak_bytes < MEMORY_LIMIT
    check_no_fault(ground)


def reason_of(message: str) -> str:
    return message.split(":")[0][:60]


def check_no_fault(ground: Ground) -> None:
    """Check that the program logged no fault of its own."""
    lines = ground.log.read_text("utf-8").splitlines()
    assert not [line for line in lines if " ERROR " in line]

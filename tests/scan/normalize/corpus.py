"""Real media files of all kinds beside the checkout, and what ExifTool says of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.config import default_config

if TYPE_CHECKING:
    from tui.records import Kind


def find_corpus() -> Path | None:
    """Return the folder of real files: `YAPMO_CORPUS`, or `../shared/corpus` beside the checkout; None without one."""
    named = os.environ.get("YAPMO_CORPUS")
    folder = Path(named) if named else Path(__file__).parents[4] / "shared" / "corpus"
    return folder if folder.is_dir() else None


def run_exiftool(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    """Return what ExifTool says of every file below `folder`, by path; numbers as text, as the workers give them."""
    command = ["exiftool", "-config", "", "-r", "-json", "-n", "-q", "-q", "-api", "LargeFileSupport=1"]
    answer = subprocess.run([*command, *options, str(folder)], stdout=subprocess.PIPE, check=False)
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, strict=False)
    records = decoder.decode(answer.stdout.decode("utf-8", "replace"))
    return {record.pop("SourceFile"): record for record in records}


def kind_of(path: str) -> Kind | None:
    """Return the kind of a file by its extension, as the defaults of the configuration have it."""
    extension = os.fsencode(path).rpartition(b".")[2].lower()
    return default_config().scan.kind_by_extension.get(extension)

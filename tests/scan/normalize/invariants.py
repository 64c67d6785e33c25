"""What holds for every `Metadata`, whatever a file says."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any, get_type_hints

from tui.records import Metadata

RANGES: dict[str, tuple[float, float]] = {
    "width": (1, 2**31 - 1),
    "height": (1, 2**31 - 1),
    "orientation": (1, 8),
    "duration_ms": (1, 10**12),
    "utc_offset": (-720, 840),
    "taken_utc": (-(2**52), 2**52),
    "iso": (1, 10**8),
    "f_number": (0.01, 1000),
    "exposure": (1e-9, 1e7),
    "focal_length": (0.01, 100_000),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "altitude": (-12_000, 1_000_000),
    "rating": (0, 5),
    "track": (1, 9_999),
    "disc": (1, 9_999),
    "year": (1, 9_999),
    "bit_rate": (1, 2**63),
    "frame_rate": (0.001, 1_000),
    "sample_rate": (1, 10**8),
    "channels": (1, 1_000),
    "bpm": (0.01, 1_000),
}
LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?")


def check(metadata: Metadata) -> None:
    for name, kind in get_type_hints(Metadata).items():
        value: Any = getattr(metadata, name)
        if value is None:
            continue
        if name in RANGES:
            low, high = RANGES[name]
            assert math.isfinite(value), name
            assert low <= value <= high, name
            assert type(value) is (float if kind == float | None else int), name
        elif name in ("keywords", "people"):
            assert isinstance(value, tuple)
            assert len(value) <= 1000
            for word in value:
                check_text(word, 1000)
        else:
            check_text(value, 65_536 if name == "description" else 1000)
    if metadata.taken_local is not None:
        assert LOCAL.fullmatch(metadata.taken_local)
        assert metadata.date_source
        datetime.fromisoformat(metadata.taken_local)
    if metadata.utc_offset is not None:
        assert metadata.taken_utc is not None
    assert (metadata.latitude is None) == (metadata.longitude is None)
    assert (metadata.width is None) == (metadata.height is None)


def check_text(text: object, longest: int) -> None:
    assert isinstance(text, str)
    assert 0 < len(text) <= longest
    assert "\x00" not in text
    text.encode("utf-8")
    assert text == text.strip()

"""Answers questions about the library over short reading connections."""

from __future__ import annotations


class Reader:
    """Reads one library."""

    def __init__(self, path: bytes, *, immutable: bool = False) -> None:
        """Name the library; connections are opened when they are first needed."""
        self._path = path
        self._immutable = immutable

    async def close(self) -> None:
        """Close the connections; idempotent."""

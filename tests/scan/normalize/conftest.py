"""The wider run over real files is collected where the files are."""

from __future__ import annotations

from tests.scan.normalize.corpus import find_corpus

collect_ignore = [] if find_corpus() else ["test_corpus.py"]

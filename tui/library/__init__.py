"""The SQLite catalogue: one writer, short readers, one query language."""

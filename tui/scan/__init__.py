"""The engine: walk, changes, metadata, fingerprint, and the seam `service` that front doors meet it at."""

"""Which file is which: what a scan found, settled into new, changed, moved, returned and missing files.

The rules and the table of cases are in `docs/identity.md`. What one folder tells for certain is written at once
(`staging`); what only the whole walk can tell (a path that came or went) waits in the tables `arrival` and `departure`
until `moves` and then `departures` decide. Last come moves that only equal contents show (`fingerprints`). A scan that
ends before that leaves nothing decided: the next one finds the same again.
"""

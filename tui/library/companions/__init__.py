"""Companions: what lies beside a media file and belongs to it.

Sidecars (.xmp, .aae …) have rows of their own in table `sidecar`; media files (the JPEG of a RAW, the film of a Live
Photo, Apple's edited version) keep the id of their main file in `file.companion_of`. The table of cases is in
`docs/identity.md`. `names` holds the rules, `sidecars` the rows, `grouping` applies the one to the other.
"""

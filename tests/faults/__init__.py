"""The whole system as real processes, under load and under faults, and whether all is well after.

`python -m tests.faults` is the short form, `--long` the long one; see `docs/faults.md`.
"""

"""What containers need before they start: keys, certificates, access files, replica set, users.

`prepare` needs no server and draws once; `init` needs both and may be repeated; `keep-door` stays.
Who gets which file, and why, stands in docs/adr/0026-what-containers-are-given.md.
"""

"""Takes both stores away as files, and brings them back; keys lie apart from what they open.

Streams are written as `nats stream backup` writes them, databases as `mongodump` does: where this
program is gone too, those tools read the archive.
"""

from deploy.backup.gap import Gap, find_gap
from deploy.backup.manifest import Damaged, Manifest, read_archive
from deploy.backup.restoring import NotRestored, Restored, restore
from deploy.backup.taking import NotTaken, backup, folders_apart

__all__ = [
    "Damaged",
    "Gap",
    "Manifest",
    "NotRestored",
    "NotTaken",
    "Restored",
    "backup",
    "find_gap",
    "folders_apart",
    "read_archive",
    "restore",
]

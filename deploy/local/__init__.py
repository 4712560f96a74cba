"""Real NATS and real MongoDB on one machine, in one state folder, on free loopback ports."""

from deploy.local.folder import FolderRefused
from deploy.local.part import PartFailed
from deploy.local.stack import LocalStack

__all__ = ["FolderRefused", "LocalStack", "PartFailed"]

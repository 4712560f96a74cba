"""The directory in time: who sat where, who went on with what, and which place a name meant."""

from services.routing.domain.directory.index import DirectoryIndex

__all__ = ["DirectoryIndex"]

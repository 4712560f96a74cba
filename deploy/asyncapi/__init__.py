"""The contract of every topic as an AsyncAPI 3 document, and what may not change in it."""

from deploy.asyncapi.breaking import broken
from deploy.asyncapi.document import document

__all__ = ["broken", "document"]

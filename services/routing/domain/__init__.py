"""What routing decides. Pure: no I/O, no clock; days and instants are arguments."""

SOURCE = "/services/routing"
"""Names routing as the source of an event."""

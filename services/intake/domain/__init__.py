"""What intake reads out of a message, and how it classifies it. Pure: no I/O, no clock."""

"""What reporting counts, and how it adds up. Pure: no I/O, no clock."""

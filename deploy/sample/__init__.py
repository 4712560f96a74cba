"""A fictional province: its directory, rulebook, calendar, and half a year of its feed."""

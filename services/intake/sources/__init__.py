"""Where submissions come from, besides the bus."""

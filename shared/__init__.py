"""What the three services have in common: the language they speak, and how they run."""

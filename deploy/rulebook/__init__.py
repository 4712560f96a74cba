"""Judges a rulebook before it is published: by itself, on single submissions, on what has been."""

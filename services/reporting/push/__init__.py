"""Public reports pushed to those who registered an address: signed, again and again, safely."""

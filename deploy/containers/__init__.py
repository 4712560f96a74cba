"""What containers need before they start: keys, certificates, access files, replica set, users."""

"""What must hold before anything is handed out: no secret in the tree, no known hole in the lock."""

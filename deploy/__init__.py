"""How it runs: the command line, and NATS and MongoDB on one machine."""

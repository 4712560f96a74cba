"""`python -m deploy`: the same as `langnghe`."""

from deploy.cli import main

main()

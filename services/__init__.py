"""The three services: intake, routing and reporting."""

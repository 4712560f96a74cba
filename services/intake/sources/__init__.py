"""Where items come from besides the bus: each source hands on to `Accept` and then answers."""

"""Running it: the supervisor, the clock, retention."""

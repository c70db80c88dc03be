"""Is it alive: probe kinds, engine, verdicts."""

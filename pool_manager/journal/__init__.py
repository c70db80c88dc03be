"""What happened: append-only entries with a gap-free number."""

"""Real servers for tests: one that records, one that misbehaves."""

"""Session documents: storage, freshness, cache and the event log."""

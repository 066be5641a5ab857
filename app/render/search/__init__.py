"""Search in the whole of a session: its queries, and the places in which a reader sees their words."""

"""The pages of a session, and the index by which one page is read alone."""

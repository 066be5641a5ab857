"""A real OpenCode, a scripted model for it, and a trap for what it sends elsewhere."""

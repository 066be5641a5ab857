"""A corpus of made-up secrets and of texts that have none; nothing here knows the rules."""

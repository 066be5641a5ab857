"""A day of two servers in an hour: what they hold at its end, compared to its beginning."""

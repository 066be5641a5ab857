"""Routes of the `share` blueprint, one module for each kind of page."""

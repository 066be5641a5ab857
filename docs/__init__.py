"""The documentation, and what makes a page of it from the code."""

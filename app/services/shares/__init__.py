"""Shares: creation, deletion, expiry and clean-up."""

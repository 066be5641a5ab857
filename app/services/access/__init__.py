"""Who may read a share."""

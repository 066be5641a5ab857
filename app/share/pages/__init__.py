"""What the views render: pages, previews, links and responses."""

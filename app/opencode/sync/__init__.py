"""The items of OpenCode's share protocol: validation, merging and export."""

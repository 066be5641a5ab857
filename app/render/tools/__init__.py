"""Views of tool calls."""

"""The release of this code, as in `pyproject.toml`."""

RELEASE = "0.2.0"

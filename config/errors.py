"""What is wrong with a setting, told to operators."""

from __future__ import annotations


class ConfigError(SystemExit):
    """A setting is missing or wrong; uncaught, it ends the process with its sentence and no traceback."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"Better Share cannot start: {sentence}")

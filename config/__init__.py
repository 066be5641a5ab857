"""Every setting of the service: read once from the environment, typed and validated."""

from config.checks import OWN_PATHS
from config.errors import ConfigError
from config.reader import read_config
from config.settings import Config
from config.units import BYTES, read_duration, read_size

__all__ = ["BYTES", "OWN_PATHS", "Config", "ConfigError", "read_config", "read_duration", "read_size"]

"""The settings: read from YAML, the environment and the command line, checked by one schema."""

from proxy.settings.loader import load
from proxy.settings.values import (
    APISettings,
    DHCPSettings,
    ExternalIPAMSettings,
    LogsSettings,
    PhpipamSettings,
    Settings,
)

__all__ = ["APISettings", "DHCPSettings", "ExternalIPAMSettings", "LogsSettings", "PhpipamSettings", "Settings", "load"]

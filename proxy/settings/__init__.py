"""The settings: read from YAML, the environment and the command line, checked by one schema."""

from proxy.settings.loader import load
from proxy.settings.values import DHCPSettings, ExternalIPAMSettings, LogsSettings, Settings

__all__ = ["DHCPSettings", "ExternalIPAMSettings", "LogsSettings", "Settings", "load"]

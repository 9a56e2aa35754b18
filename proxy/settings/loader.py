"""Finding the settings, reading all of their files, and refusing what is wrong before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import URL

from providers.dhcp.contract import DHCPProvider
from providers.errors import Misconfigured
from providers.ipam.contract import IPAMProvider
from providers.registry import DHCP_PROVIDERS, IPAM_PROVIDERS, load_class
from proxy.settings import yaml_file
from proxy.settings.log_fields import LogDestination
from proxy.settings.messages import Origin
from proxy.settings.reading import Reading, read_section
from proxy.settings.schema import CERTIFICATE_FILES
from proxy.settings.sections import (
    Section,
    api_section,
    dhcp_section,
    externalipam_section,
    logs_section,
    main_section,
    phpipam_section,
    variable,
)
from proxy.settings.values import (
    APISettings,
    DHCPSettings,
    ExternalIPAMSettings,
    LogsSettings,
    PhpipamSettings,
    Settings,
)
from proxy.settings.yaml_file import YAMLFile

DEFAULT_FILE = Path("config/settings.yml")
DEFAULT_HTTP_PORT = 8000
FILE_VARIABLE = "LEASEHOLD_CONFIG"

_LONGEST_LIST = 10
_MODULES = ("dhcp", "externalipam", "logs", "api", "phpipam")
_NOT_SETTINGS = ("LEASEHOLD_HOOK_", "LEASEHOLD_TEST_")
_OF_COMMANDS = {f"LEASEHOLD_{name}" for name in ("URL", "TOKEN", "TOKEN_FILE", "CA_FILE", "CERTIFICATE", "KEY")}
_RUNS = {"true", "http", "https", "yes", "on"}


def load(path: Path | None = None, *, environ: Mapping[str, str] = os.environ, **overrides: object) -> Settings:
    """Read the settings from ``path``, else the file in LEASEHOLD_CONFIG, else config/settings.yml if it is there.

    ``overrides`` are keys of settings.yml, as given on the command line (None means not given), and ``dhcp``,
    ``externalipam``, ``logs``, ``api`` and ``phpipam`` with a mapping of theirs. They beat the environment, which
    beats the files.

    Raises Misconfigured with one line for each thing that is wrong, naming the file or variable, the key, the value
    (never a secret) and what is allowed.
    """
    return _Loading(environ).run(path, overrides)


@dataclass
class _Loading:
    """The state of one call to :func:`load`: everything wrong is gathered before it is told."""

    environ: Mapping[str, str]
    files: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    in_use: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=lambda: {FILE_VARIABLE})

    def run(self, path: Path | None, overrides: Mapping[str, object]) -> Settings:
        file = self._settings_file(path)
        of_modules = {name: overrides.get(name) or {} for name in _MODULES}
        main = self._section(
            main_section(), file, {key: value for key, value in overrides.items() if key not in of_modules}
        )
        directory = self._directory(file, main)
        dhcp, dhcp_provider = self._module(dhcp_section(), directory, of_modules["dhcp"], DHCP_PROVIDERS, DHCPProvider)
        ipam, ipam_provider = self._module(
            externalipam_section(), directory, of_modules["externalipam"], IPAM_PROVIDERS, IPAMProvider
        )
        logs, api, phpipam = (
            self._section(section, directory / f"{section.name}.yml", _mapping(section.name, of_modules[section.name]))
            for section in (logs_section(), api_section(), phpipam_section())
        )
        self._other_files(directory)
        self._other_variables()
        if self.problems:
            raise Misconfigured(_first(self.problems))
        state_dir = Path.cwd() / main.values["state_dir"]
        return Settings(
            **main.values
            | {
                "settings_directory": directory,
                "state_dir": state_dir,
                "database": _database(main.values["database"], state_dir),
                "log_file": _log_file(main.values["log_file"]),
            }
            | _listeners(main),
            dhcp=DHCPSettings(**dhcp.values, provider_settings=MappingProxyType(dhcp_provider)),
            externalipam=ExternalIPAMSettings(**ipam.values, provider_settings=MappingProxyType(ipam_provider)),
            logs=LogsSettings(**logs.values),
            api=APISettings(**api.values),
            phpipam=PhpipamSettings(**phpipam.values),
            file=file if file in self.files else None,
            files=tuple(self.files),
            origins=MappingProxyType(self.origins),
            warnings=tuple(self.warnings),
        )

    def _settings_file(self, path: Path | None) -> Path:
        named = path or self.environ.get(FILE_VARIABLE)
        if not named:
            return DEFAULT_FILE
        if not os.path.exists(named):
            by = "--config" if path else FILE_VARIABLE
            raise Misconfigured(f"{named}: there is no such file; {by} names it as the settings file")
        return Path(named)

    def _directory(self, file: Path, main: Reading) -> Path:
        """Where the files of modules and providers are; it need not be there unless somebody named it."""
        directory: Path = file.parent / main.values.get("settings_directory", "settings.d")
        origin = main.origins.get("settings_directory")
        if "settings_directory" in main.values and origin is not None and not os.path.isdir(directory):
            place = origin.place("settings_directory")
            self.problems.append(f"{place} '{directory}' is no directory; allowed: the path of one that is there")
        return directory

    def _section(self, section: Section, path: Path, overrides: Mapping[str, object]) -> Reading:
        unknown = set(overrides) - set(section.keys)
        if unknown:
            raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
        reading = read_section(section, path, self._file(path), self.environ, overrides)
        self.problems += reading.problems
        self.warnings += reading.warnings
        prefix = f"{section.name}." if section.name else ""
        for key in section.keys.values():
            self.variables |= {key.variable, f"{key.variable}_FILE"} if key.secret else {key.variable}
            origin = reading.origins.get(key.attribute)
            self.origins[prefix + key.name] = origin.name if origin else "default"
        return reading

    def _file(self, path: Path) -> YAMLFile | None:
        try:
            file = yaml_file.read(path)
        except Misconfigured as error:
            self.problems.append(str(error))
            return None
        if file is not None:
            self.files.append(path)
        return file

    def _module(
        self,
        section: Section,
        directory: Path,
        overrides: object,
        known: Mapping[str, str],
        contract: type[DHCPProvider] | type[IPAMProvider],
    ) -> tuple[Reading, Mapping[str, Any]]:
        """The settings of a module and those of the provider that it uses."""
        path = directory / f"{section.name}.yml"
        module = self._section(section, path, _mapping(section.name, overrides))
        name = module.values.get("use_provider")
        if name is None:
            return module, {}
        try:
            provider = _provider(name, known, contract)
        except Misconfigured as error:
            place = module.origins.get("use_provider", Origin(str(path))).place("use_provider")
            # The message about a name that does not exist says itself what does.
            allowed = f"; allowed: {section.keys['use_provider'].allowed}" if "." in name else ""
            self.problems.append(f"{place} {' '.join(str(error).split())}{allowed}")
            return module, {}
        self.in_use.add(provider.name)
        reading = self._section(provider, directory / f"{provider.name}.yml", {})
        if issubclass(contract, IPAMProvider) and not reading.problems:
            self.warnings += _ipam_class(name).warnings(reading.values)
        return module, reading.values

    def _other_files(self, directory: Path) -> None:
        """Name modules of the Ruby proxy that are switched on and not here; their other files mean nothing."""
        ours = {*_MODULES, *DHCP_PROVIDERS, *IPAM_PROVIDERS}
        for path in sorted(directory.glob("*.yml")):
            if path in self.files or path.stem in ours:
                continue
            try:
                file = yaml_file.read(path)
            except Misconfigured as error:
                self.warnings.append(f"{error} (Leasehold does not use this file)")
                continue
            if file is not None and str(file.values.get("enabled")).removeprefix(":").lower() in _RUNS:
                self.warnings.append(f"{path}: Leasehold has no module {path.stem}; it is enabled, and passed over")
        for path in sorted(directory.glob("*.yaml")):
            if path.stem in ours:
                self.warnings.append(f"{path}: is not read; call it {path.stem}.yml")

    def _other_variables(self) -> None:
        idle = {*DHCP_PROVIDERS, *IPAM_PROVIDERS} - self.in_use
        of_providers = tuple(variable(name, "") for name in idle)
        for name in sorted(self.environ):
            if not name.startswith("LEASEHOLD_") or name in self.variables or not self.environ[name]:
                continue
            if name not in _OF_COMMANDS and not name.startswith((*_NOT_SETTINGS, *of_providers)):
                self.warnings.append(f"{name}: no setting has this variable; it is passed over")


def _provider(name: str, known: Mapping[str, str], contract: type[DHCPProvider] | type[IPAMProvider]) -> Section:
    """The section of the provider's own settings. Raises Misconfigured when there is no such provider."""
    found = load_class(name, known)
    if not issubclass(found, contract):
        raise Misconfigured(f"{name!r} is no {contract.__name__}")
    return Section(getattr(found, "name", name), found.settings_schema())


def _ipam_class(name: str) -> type[IPAMProvider]:
    """The class of a provider whose section could be made."""
    found: type[IPAMProvider] = load_class(name, IPAM_PROVIDERS)
    return found


def _mapping(name: str, overrides: object) -> Mapping[str, object]:
    if not isinstance(overrides, Mapping):
        raise TypeError(f"{name} has to be a mapping of settings")
    return overrides


def _log_file(destination: LogDestination) -> LogDestination:
    return Path.cwd() / destination if isinstance(destination, Path) else destination


def _database(url: URL | None, state_dir: Path) -> URL:
    """The URL with the path of an SQLite file made absolute, so that it stays the same file wherever we run."""
    if url is None:
        return URL.create("sqlite", database=str(state_dir / "leasehold.db"))
    if url.drivername == "sqlite" and url.database and not url.database.startswith("file:"):
        return url.set(database=str(Path.cwd() / url.database))
    return url


def _listeners(main: Reading) -> dict[str, Any]:
    """The port for HTTP, which is off when a certificate is set and nobody asked for it, and the paths of the files."""
    paths = {name: main.values[name] and Path.cwd() / main.values[name] for name in CERTIFICATE_FILES}
    port = main.values["http_port"]
    if "http_port" not in main.origins and not any(paths.values()):
        port = DEFAULT_HTTP_PORT
    return {**paths, "http_port": port}


def _first(problems: list[str]) -> str:
    more = len(problems) - _LONGEST_LIST
    return "\n".join(problems[:_LONGEST_LIST] + ([f"and {more} more"] if more > 0 else []))

"""The settings of a guest host: one small TOML file, and the environment, which beats it.

The file may hold a token, so it belongs to root and can be read by the group of user ``cbsd`` and by nobody else.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from hooks.errors import Misconfigured

PATHS = ("/usr/local/etc/leasehold-hook.toml", "/etc/leasehold-hook.toml")
"""Where the file is looked for, in this order, when LEASEHOLD_HOOK_CONFIG names none."""

PREFIX = "LEASEHOLD_HOOK_"
_CONFIG = f"{PREFIX}CONFIG"
_URL = "LEASEHOLD_URL"
REFUSE, ALLOW = "refuse", "allow"


class Settings(NamedTuple):
    """Everything that can be set; ``docs/hooks.md`` explains each key. Times are in seconds."""

    urls: tuple[str, ...] = ("http://127.0.0.1:8000",)
    token: str = ""
    token_file: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    node: str = ""
    cluster: str = ""
    group: str = ""
    subnets: tuple[str, ...] = ()
    pools: Mapping[str, str] = {}
    nic_tags: Mapping[str, str] = {}
    cbsd_workdir: str = ""
    iocage_root: str = ""
    iocage_interface: str = "DEFAULT"
    shared_addresses: tuple[str, ...] = ()
    timeout: float = 4.0
    fail_closed: bool = True
    hold_minutes: int = 24 * 60
    claims: bool = True
    claim_lifetime: int = 0
    claim_renewal: int = 300
    claim_when_unreachable: str = REFUSE
    mount_script: str = ""
    unmount_script: str = ""
    spool_dir: str = "/var/db/leasehold-hook"
    log_file: str = ""
    syslog: bool = True
    sync_limit: int = 20
    release_after: int = 60
    source: str = "the defaults"

    def __repr__(self) -> str:
        """Everything but the token."""
        shown = ((key, "..." if key == "token" and value else value) for key, value in self._asdict().items())
        return f"Settings({', '.join(f'{key}={value!r}' for key, value in shown)})"


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings. Raises Misconfigured naming the file or variable and the key."""
    path = _path(environment)
    values = {} if path is None else _of_file(path)
    variables = _variables(environment)
    values |= {key: _fit(name, key, _parsed(name, key, environment[name])) for key, name in variables.items()}
    values["source"] = "the environment" if path is None else path
    if path is None and len(values) == 1:
        values["source"] = "the defaults"
    settings = Settings(**values)
    _refuse_nonsense(settings, variables)
    return settings


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The variables that look like settings and are none, such as a name with a letter too many."""
    known = {_CONFIG, *(PREFIX + key.upper() for key in _KEYS)}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def exposed(settings: Settings) -> str | None:
    """What is wrong with who can read the secrets or write the settings, in words; None when nothing is.

    The settings name scripts that root runs.
    """
    for name in filter(os.path.isabs, (settings.source, settings.mount_script, settings.unmount_script)):
        try:
            mode = os.stat(name).st_mode
        except OSError:
            continue
        if mode & stat.S_IWOTH:
            return f"everybody can write {name}, and root does what it says: chmod o-w {name}"
    for name in secret_files(settings):
        try:
            mode = os.stat(name).st_mode
        except OSError:
            continue
        if mode & stat.S_IROTH:
            return f"{name} holds a secret and everybody can read it: chmod o-rwx {name}"
    return None


def secret_files(settings: Settings) -> list[str]:
    """The files that hold a secret, as far as the settings name any."""
    named = [settings.source if settings.token else "", settings.token_file, settings.key_file]
    return [name for name in dict.fromkeys(named) if os.path.isabs(name)]


def secret(settings: Settings) -> str:
    """The token, from its file if it has one; empty when there is none. Raises Misconfigured."""
    if not settings.token_file:
        return settings.token
    try:
        with open(settings.token_file, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"token_file {settings.token_file} cannot be read: {error}") from error


def _path(environment: Mapping[str, str]) -> str | None:
    named = environment.get(_CONFIG)
    if named:
        return named
    return next(filter(os.path.exists, PATHS), None)


def _of_file(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            given = tomllib.load(file)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} is no TOML: {error}") from error
    unknown = sorted(set(given) - set(_KEYS))
    if unknown:
        raise Misconfigured(f"{path}: unknown key {unknown[0]}; there are {', '.join(_KEYS)}")
    return {key: _fit(f"{path}: {key}", key, value) for key, value in given.items()}


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variable that has the last word on each key that any has."""
    found = {"urls": _URL} if environment.get(_URL) else {}
    return found | {key: name for key in _KEYS if (name := PREFIX + key.upper()) in environment}


def _parsed(name: str, key: str, text: str) -> Any:  # noqa: ANN401 - each key has a type of its own
    """The text of a variable as the file would have it."""
    kind = type(getattr(_DEFAULTS, key))
    if kind is tuple:
        return list(_words(text))
    if kind is bool:
        if text.lower() not in _FLAGS:
            raise Misconfigured(f"{name} is {text!r}: true or false")
        return _FLAGS[text.lower()]
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise Misconfigured(f"{name} is {text!r}: a number") from None
    if kind is dict:
        return dict(_pair(name, each) for each in _words(text))
    return text


def _pair(name: str, text: str) -> tuple[str, str]:
    pool, equals, group = text.partition("=")
    if not equals:
        raise Misconfigured(f"{name}: {text!r} is not POOL=GROUP")
    return pool, group


def _fit(where: str, key: str, value: Any) -> Any:  # noqa: ANN401 - each key has a type of its own
    kind = type(getattr(_DEFAULTS, key))
    if kind is tuple and isinstance(value, str):
        value = [value]
    fits = _FITTING[kind]
    if not fits(value):
        raise Misconfigured(f"{where} has to be {_IN_WORDS[kind]}")
    return tuple(value) if kind is tuple else float(value) if kind is float else value


def _refuse_nonsense(settings: Settings, variables: Mapping[str, str]) -> None:
    def unfit(key: str, what: str) -> Misconfigured:
        return Misconfigured(f"{variables.get(key, settings.source)}: {key} {what}")

    for url in settings.urls:
        if not url.startswith(("http://", "https://")):
            raise unfit("urls", f"has {url}, which is no http or https URL")
        if not _has_host(url):
            raise unfit("urls", f"has {url}, which has no host, or a port that is none")
    if not settings.urls:
        raise unfit("urls", "names none: name at least one")
    if not 0 < settings.timeout <= _LONGEST_TIMEOUT:
        raise unfit("timeout", f"is above 0 and at most {_LONGEST_TIMEOUT} seconds")
    if settings.claim_when_unreachable not in (REFUSE, ALLOW):
        raise unfit("claim_when_unreachable", f"is {REFUSE} or {ALLOW}")
    if not 0 <= settings.sync_limit <= _WHOLE:
        raise unfit("sync_limit", "is a percentage, 0 to 100")
    if settings.claim_lifetime and settings.claim_lifetime < 3 * settings.claim_renewal:
        raise unfit(
            "claim_lifetime" if "claim_lifetime" in variables else "claim_renewal",
            f"does not fit: claim_lifetime ({settings.claim_lifetime} s) is at least three times claim_renewal "
            f"({settings.claim_renewal} s): else one lost renewal would end the claim of a guest that runs",
        )


def _has_host(url: str) -> bool:
    try:
        split = urlsplit(url)
        return bool(split.hostname) and split.port != 0
    except ValueError:
        return False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _is_texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value)


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for pair in value.items() for each in pair)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_LONGEST_TIMEOUT = 9
"""CBSD's helper runs under a lock that others wait for: below ten seconds in all (guest-hooks, section 1)."""
_WHOLE = 100
_DEFAULTS = Settings()
_KEYS = tuple(key for key in Settings._fields if key != "source")
_FLAGS = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
_FITTING: dict[type, Callable[[object], bool]] = {
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    int: _is_whole,
    float: _is_number,
    tuple: _is_texts,
    dict: _is_mapping,
}
_IN_WORDS: dict[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number, 0 or more",
    float: "a number",
    tuple: "a list of texts",
    dict: "a table of texts",
}

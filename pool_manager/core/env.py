"""The environment, parsed once into a typed value; every fault names its variable."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PROBE_ALLOW_DEFAULT = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7"
SOCKET_PATH_MAX = 100  # sun_path holds 108 bytes on Linux, 104 on macOS
SECRET_MIN = 32
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~+,-]+")


class EnvironmentFault(Exception):
    """One or more variables cannot be used; the message has a line for each."""


@dataclass(frozen=True, slots=True)
class Env:
    """What the environment says, with defaults filled in."""

    data_dir: Path
    secret_key: str
    database_url: str
    redis_url: str
    redis_embedded: bool
    allowed_hosts: tuple[str, ...]
    probe_allow: tuple[str, ...]
    journal_keep_days: float
    journal_keep_entries: int
    probe_history_keep_hours: float
    sqlite_wait_s: float
    log_level: str


def socket_path(data_dir: Path) -> Path:
    """Where the embedded live store listens.

    A data dir whose path is long, or has a space (redis-py cannot parse the server's CLIENT LIST
    then), gets a short stable path elsewhere.
    """
    path = data_dir / "live.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_MAX and _PLAIN_PATH.fullmatch(str(path)):
        return path
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"pool-manager-{os.getuid()}-{digest}" / "live.sock"


def env_parse(environ: Mapping[str, str], *, base_dir: Path) -> Env:
    """Read every variable, collect all faults, raise `EnvironmentFault` naming each."""
    faults: list[str] = []
    data_dir = Path(environ.get("POOL_MANAGER_DATA_DIR") or base_dir / "var").expanduser().resolve()
    database_url = environ.get("DATABASE_URL", "")
    redis_url = environ.get("REDIS_URL", "")
    env = Env(
        data_dir=data_dir,
        secret_key=_secret(environ, data_dir, production=bool(database_url), faults=faults),
        database_url=_url(
            "DATABASE_URL", database_url, ("postgres", "postgresql", "sqlite"), faults
        ),
        redis_url=_url("REDIS_URL", redis_url, ("redis", "rediss", "unix"), faults)
        or f"unix://{socket_path(data_dir)}?db=0",
        redis_embedded=not redis_url,
        allowed_hosts=_words(environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")),
        probe_allow=_cidrs(
            "POOL_MANAGER_PROBE_ALLOW",
            environ.get("POOL_MANAGER_PROBE_ALLOW", PROBE_ALLOW_DEFAULT),
            faults,
        ),
        journal_keep_days=_number(environ, "POOL_MANAGER_JOURNAL_KEEP_DAYS", 30, faults),
        journal_keep_entries=int(
            _number(
                environ,
                "POOL_MANAGER_JOURNAL_KEEP_ENTRIES",
                5_000_000,
                faults,
                least=1,
                most=1_000_000_000,
            )
        ),
        probe_history_keep_hours=_number(
            environ, "POOL_MANAGER_PROBE_HISTORY_KEEP_HOURS", 24, faults
        ),
        sqlite_wait_s=_number(environ, "POOL_MANAGER_SQLITE_WAIT_S", 20, faults),
        log_level=_word(environ, "POOL_MANAGER_LOG_LEVEL", "WARNING", LOG_LEVELS, faults),
    )
    if faults:
        raise EnvironmentFault("\n".join(faults))
    return env


def _secret(
    environ: Mapping[str, str], data_dir: Path, *, production: bool, faults: list[str]
) -> str:
    key = environ.get("SECRET_KEY", "")
    named = environ.get("SECRET_KEY_FILE", "")
    path = Path(named) if named else data_dir / "secret_key"
    if not key:
        try:
            key = path.read_text().strip()
        except FileNotFoundError:
            if named or production:
                missing = f"the file {path} does not exist" if named else "not set"
                faults.append(
                    f"SECRET_KEY: {missing}; set SECRET_KEY (or SECRET_KEY_FILE) to at least"
                    f" {SECRET_MIN} random characters"
                )
            # checks and one-off commands without a data dir: sign with a key nobody else has
            return secrets.token_urlsafe(48)
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"SECRET_KEY_FILE: {path} cannot be read ({error})")
            return ""
    if len(key) < SECRET_MIN:
        faults.append(f"SECRET_KEY: {len(key)} characters are too few; use at least {SECRET_MIN}")
    return key


def _url(name: str, value: str, schemes: tuple[str, ...], faults: list[str]) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port  # read by those who connect: not a number there is a fault here
    except ValueError as error:
        faults.append(f"{name}: the address cannot be read ({error})")
        return value
    if value and parts.scheme not in schemes:
        expected = ", ".join(f"{scheme}://" for scheme in schemes)
        # the scheme alone: the rest may hold a password
        begins = f"it starts with {parts.scheme!r}, not with" if parts.scheme else "it lacks"
        faults.append(f"{name}: {begins} one of {expected}")
    return value


def _words(value: str) -> tuple[str, ...]:
    return tuple(word for word in (part.strip() for part in value.split(",")) if word)


def _word(
    environ: Mapping[str, str], name: str, default: str, words: tuple[str, ...], faults: list[str]
) -> str:
    word = environ.get(name, "") or default
    if word not in words:
        faults.append(f"{name}: {word!r} is not one of {', '.join(words)}")
    return word


def _cidrs(name: str, value: str, faults: list[str]) -> tuple[str, ...]:
    for word in _words(value):
        try:
            ipaddress.ip_network(word)
        except ValueError as error:
            faults.append(f"{name}: {word!r} is not a network such as 10.0.0.0/8 ({error})")
    return _words(value)


def _number(
    environ: Mapping[str, str],
    name: str,
    default: float,
    faults: list[str],
    *,
    least: float = 0.001,
    most: float = 100_000,
) -> float:
    text = environ.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not least <= number <= most:
        faults.append(f"{name}: {text!r} is not a number from {least:g} to {most:g}")
        return default
    return number

"""A pool's probe in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pool_manager.fleet.models import Pool

Facts = list[tuple[str, str]]


def probe_short(pool: Pool) -> str:
    """One line for lists: "http GET /healthz, every 1,000 ms"."""
    params = pool.probe_params
    parts = [pool.probe_kind]
    if pool.probe_kind == "http":
        parts += [params.get("method", "GET"), params.get("path", "/healthz")]
    return f"{' '.join(parts)}, every {_ms(pool.interval_ms)}"


def probe_facts(pool: Pool) -> Facts:
    """Every setting that decides a verdict, as name and sentence."""
    params = pool.probe_params
    facts = _http(params) if pool.probe_kind == "http" else _plain(pool.probe_kind, params)
    return [
        *facts,
        ("Port", str(params["port"]) if params.get("port") else "the instance's own"),
        ("Interval", f"{_ms(pool.interval_ms)}, {_ms(pool.fast_ms)} while in doubt"),
        ("Timeout", _ms(pool.timeout_ms)),
        ("Down", f"after {_in_a_row(pool.fall, 'failed probe')}"),
        ("Up", f"after {_in_a_row(pool.rise, 'good probe')}; a new instance after one"),
        ("Closed connection", f"probed again after {_ms(pool.recheck_ms)}"),
    ]


def _http(params: dict[str, Any]) -> Facts:
    facts = [
        ("Request", f"HTTP {params.get('method', 'GET')} {params.get('path', '/healthz')}"),
        ("Host header", params.get("host") or "the instance's address and port"),
        ("Success", f"status {params.get('expect', '200-399')}"),
    ]
    if headers := params.get("headers"):
        facts.append(("Headers", ", ".join(f"{name}: {value}" for name, value in headers.items())))
    if text := params.get("body_contains"):
        facts.append(("Body", f"contains “{text}”"))
    if path := params.get("json_path"):
        facts.append(("JSON", f"{path} equals {params.get('json_equals')!r}"))
    return facts


def _plain(kind: str, params: dict[str, Any]) -> Facts:
    own = [(name, str(value)) for name, value in params.items() if name != "port" and value]
    first = "TCP: the connection opens" if kind == "tcp" else kind
    return [
        ("Request", first),
        *((name.replace("_", " ").capitalize(), value) for name, value in own),
    ]


def _ms(value: int) -> str:
    return f"{value:,} ms"


def _in_a_row(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s in a row"

"""A call that survives its callee: the same request, with the same key, at the next peer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from examples.peers import Peer

TRY_ELSEWHERE = frozenset({500, 502, 503, 504})
LEAST_S = 0.02  # a try with less time left is not begun


@dataclass(frozen=True, slots=True)
class CallLimits:
    connect_s: float
    read_s: float
    deadline_s: float  # for all tries together
    tries: int


@dataclass(frozen=True, slots=True)
class CallResult:
    status: int  # 0 when nobody answered
    body: bytes
    peer: str
    tries: int
    error: str

    @property
    def ok(self) -> bool:
        return self.status == HTTPStatus.OK


class Caller:
    def __init__(
        self,
        limits: CallLimits,
        *,
        connections: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._session = requests.Session()
        # Proxies of the environment have no business between two instances.
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_connections=64, pool_maxsize=connections))

    def post(
        self,
        route: Sequence[Peer],
        path: str,
        body: bytes,
        *,
        key: str,
        headers: Mapping[str, str] | None = None,
    ) -> CallResult:
        """Post to the peers of `route` in order until one gives a final answer."""
        deadline = self._monotonic() + self._limits.deadline_s
        result = CallResult(0, b"", "", 0, "there is no peer to call")
        for tries, peer in enumerate(route[: self._limits.tries], start=1):
            left = deadline - self._monotonic()
            if left < LEAST_S:
                break
            result = self._try(
                peer,
                path,
                body,
                {**(headers or {}), "Idempotency-Key": key},
                left=left,
                tries=tries,
            )
            if result.status and result.status not in TRY_ELSEWHERE:
                break
        return result

    def close(self) -> None:
        self._session.close()

    def _try(
        self,
        peer: Peer,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        left: float,
        tries: int,
    ) -> CallResult:
        limits = self._limits
        try:
            response = self._session.post(
                f"http://{peer.name}{path}",
                data=body,
                headers=headers,
                timeout=(min(limits.connect_s, left), min(limits.read_s, left)),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return CallResult(0, b"", peer.name, tries, f"{peer.name}: {type(error).__name__}")
        fault = "" if response.ok else f"{peer.name}: HTTP {response.status_code}"
        return CallResult(response.status_code, response.content, peer.name, tries, fault)

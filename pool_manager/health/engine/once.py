"""One probe of each target, for forms that show a first result; no process, no event loop."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pool_manager.core.params import ParamsError
from pool_manager.health.engine.allow import Allow
from pool_manager.health.engine.dialer import Call, Dialer, Stage
from pool_manager.health.engine.wire import Target
from pool_manager.health.probes import KINDS
from pool_manager.health.probes.base import Answer

GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one probe found; `ok` None: nothing was learned about the target."""

    ok: bool | None
    reason: str
    latency_ms: float | None = None
    boot_id: str = ""
    load: float | None = None


class _Single(Call):
    __slots__ = ("id",)

    def __init__(self, target: Target) -> None:
        kind = KINDS[target.kind]
        params = kind.params_parse(target.params)
        port = kind.port(params, target.port)
        super().__init__(
            host=target.address,
            port=port,
            timeout_ms=target.timeout_ms,
            opener=kind.prepare(params, target.address, port),
            keep=False,
        )
        self.id = target.id


class _Collector:
    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}

    def answered(self, call: _Single, answer: Answer, now: float) -> None:
        self.outcomes[call.id] = Outcome(
            ok=answer.ok,
            reason=answer.reason,
            latency_ms=round((now - call.started) * 1000, 3),
            boot_id=answer.boot_id,
            load=answer.load,
        )

    def closed_idle(self, call: _Single, now: float) -> None:
        """No connection is kept."""


def probe_many(
    targets: Sequence[Target], *, allow: Iterable[str], concurrency: int = 200
) -> dict[str, Outcome]:
    """Probe each target once, `concurrency` at a time.

    Takes at most the longest timeout for each wave of `concurrency`, and a second.
    """
    collector = _Collector()
    waiting = deque(_readable(targets, collector))
    dialer: Dialer[_Single] = Dialer(collector)
    dialer.allow(Allow(allow))
    waves = math.ceil(len(waiting) / concurrency)
    longest_s = max((call.timeout_ms for call in waiting), default=0) / 1000
    give_up_at = time.monotonic() + waves * longest_s + GRACE_S
    running: set[_Single] = set()
    try:
        while (waiting or running) and time.monotonic() < give_up_at:
            while waiting and len(running) < concurrency:
                call = waiting.popleft()
                dialer.begin(call, time.monotonic())
                running.add(call)
            dialer.drain(_patience(running))
            _judge_deadlines(dialer, running)
            running = {call for call in running if call.stage is not Stage.IDLE}
    finally:
        for call in running:
            dialer.cancel(call)
        dialer.close()
    late = Outcome(ok=None, reason="not probed: no time was left")
    return {target.id: collector.outcomes.get(target.id, late) for target in targets}


def _readable(targets: Iterable[Target], collector: _Collector) -> Iterable[_Single]:
    for target in targets:
        try:
            yield _Single(target)
        except (ParamsError, KeyError) as error:
            collector.outcomes[target.id] = Outcome(ok=None, reason=f"settings: {error}")


def _patience(running: Iterable[_Single]) -> float:
    """Until the next deadline, or none at all when some probe has ended already."""
    now = time.monotonic()
    return max(
        0.0,
        min((0.0 if c.stage is Stage.IDLE else c.deadline - now for c in running), default=0.0),
    )


def _judge_deadlines(dialer: Dialer[_Single], running: Iterable[_Single]) -> None:
    now = time.monotonic()
    for call in running:
        if call.stage is not Stage.IDLE and now >= call.deadline:
            dialer.expire(call, now)

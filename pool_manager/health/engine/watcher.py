"""Watches targets: when to probe, what the answers mean, what to tell.

Rules that are easy to lose:
1. What has arrived is read before any deadline is judged, and a stall of our own gives running
   probes their time back: no target fails because we slept.
2. A close of a kept connection between probes is a hint: probe now; only that probe's answer counts.
3. Probes keep their phase: due at `offset + k * interval`, the offset from a hash of the id.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from pool_manager.core.params import ParamsError
from pool_manager.fleet.kinds import Health
from pool_manager.health.engine.allow import Allow
from pool_manager.health.engine.dialer import Call, Dialer, Stage
from pool_manager.health.engine.timetable import Timetable
from pool_manager.health.engine.wire import Report, SignalRow, Target
from pool_manager.health.probes import KINDS
from pool_manager.health.rules import Policy, verdict_known, verdict_step

if TYPE_CHECKING:
    from pool_manager.health.engine.outbox import Outbox
    from pool_manager.health.probes.base import Answer

BEAT_S = 0.05  # woken at least so often, so that a stall shows
STALL_S = 0.05  # woken so much late: it was us, not the targets
EARLY_S = 0.0005  # timers of the loop are that coarse
STARTS_MAX = 256  # probes begun in one turn; the parent is heard in between
GRID_S = 0.01  # probes due together cost one wake-up; a hundred starts a second are spread enough
CLOSE_SOON_S = 0.05
CLOSES_MAX = 3


class Watch(Call):
    """A target with its verdict and schedule."""

    __slots__ = (
        "answered_at", "boot_id", "closes", "hint_after", "hinted", "offset", "policy", "target",
        "verdict",
    )  # fmt: skip

    def __init__(self, target: Target) -> None:
        kind = KINDS[target.kind]
        params = kind.params_parse(target.params)
        port = kind.port(params, target.port)
        super().__init__(
            host=target.address,
            port=port,
            timeout_ms=target.timeout_ms,
            opener=kind.prepare(params, target.address, port),
            keep=kind.keeps,
        )
        self.target = target
        self.policy = Policy(
            interval_ms=target.interval_ms,
            rise=target.rise,
            fall=target.fall,
            fast_ms=target.fast_ms,
            recheck_ms=target.recheck_ms,
        )
        self.verdict = verdict_known(Health(target.health))
        self.boot_id = target.boot_id
        interval = target.interval_ms / 1000
        share = zlib.crc32(target.id.encode()) / 2**32
        self.offset = math.floor(share * interval / GRID_S) * GRID_S
        self.answered_at = self.hint_after = -math.inf
        self.hinted = False
        self.closes = 0  # answers in a row after which the connection was not kept

    def next_slot(self, now: float) -> float:
        """The next moment of its phase."""
        interval = self.policy.interval_ms / 1000
        margin = min(
            0.005, interval / 4
        )  # woken a little early, it must not find its own slot again
        return self.offset + (math.floor((now + margin - self.offset) / interval) + 1) * interval


class Watcher:
    """All targets of this process."""

    def __init__(self, *, clock: Callable[[], float], outbox: Outbox) -> None:
        self._clock = clock
        self._outbox = outbox
        self._watches: dict[str, Watch] = {}
        self._timetable: Timetable[Watch] = Timetable()
        self._probes = {name: {"ok": 0, "fail": 0, "unjudged": 0} for name in KINDS}
        self._stalls = 0
        self._lag_s = 0.0
        self.expected = clock() + BEAT_S  # when the next turn should come at the latest
        self.dialer: Dialer[Watch] = Dialer(self)

    def targets_set(self, targets: Iterable[Target]) -> None:
        """Watch these; a known one keeps its verdict, and its connection when it still fits."""
        for target in targets:
            old = self._watches.get(target.id)
            if old is None or _settings(old.target) != _settings(target):
                self._target_set(target, old)

    def targets_drop(self, ids: Iterable[str]) -> None:
        """Forget these, at once."""
        for target_id in ids:
            watch = self._watches.pop(target_id, None)
            self._outbox.forget(target_id)
            if watch is not None:
                self._retire(watch)

    def allow(self, cidrs: Iterable[str]) -> None:
        """Connect only inside these; kept connections outside are closed."""
        self.dialer.allow(Allow(cidrs))
        for watch in self._watches.values():
            if watch.sock is not None and self.dialer.refused(watch.address):
                self._cancel(watch, self._clock())

    def look(self, ids: Iterable[str]) -> None:
        """Probe these now, unless a probe is running."""
        now = self._clock()
        for target_id in ids:
            watch = self._watches.get(target_id)
            if watch is not None and watch.stage is Stage.IDLE:
                self._start(watch, now)

    def close(self) -> None:
        """Let go of everything."""
        self.targets_drop(list(self._watches))
        self.dialer.close()

    def turn(self) -> None:
        """Read what arrived, judge deadlines, begin what is due."""
        now = self._clock()
        late = now - self.expected
        self._lag_s = max(self._lag_s, late)
        if late > STALL_S:
            self._forgive(late + BEAT_S, now)
        self.dialer.drain()
        now = self._clock()
        for _ in range(STARTS_MAX):
            watch = self._timetable.pop_due(now + EARLY_S)
            if watch is None:
                break
            self._wake(watch, now)
        self._timetable.compact(len(self._watches))
        following = self._timetable.next_at()
        self.expected = min(now + BEAT_S, math.inf if following is None else following)
        self.expected = max(self.expected, now)

    def report(self) -> Report:
        """The next lines' worth of news."""
        signals, results, merged = self._outbox.take()
        lag_ms, self._lag_s = round(self._lag_s * 1000, 3), 0.0
        return Report(
            mono=self._clock(),
            signals=signals,
            results=results,
            lag_ms=lag_ms,
            targets=len(self._watches),
            probes={kind: dict(counts) for kind, counts in self._probes.items()},
            stalls=self._stalls,
            merged=merged,
        )

    def answered(self, call: Watch, answer: Answer, now: float) -> None:
        """A probe has its answer: identity first, then the connection, then the verdict."""
        latency_ms = round((now - call.started) * 1000, 3)
        word = "unjudged" if answer.ok is None else "ok" if answer.ok else "fail"
        self._probes[call.target.kind][word] += 1
        self._identity(call, answer, now)
        self._connection(call, answer, now)
        delay_ms = call.policy.interval_ms
        if answer.ok is not None:
            delay_ms = self._judge(call, answer, now, latency_ms)
        self._outbox.result(
            call.target.id,
            ok=answer.ok,
            reason=answer.reason,
            at=now,
            latency_ms=latency_ms,
            load=answer.load,
        )
        self._schedule(call, delay_ms, now)

    def closed_idle(self, call: Watch, now: float) -> None:
        """The kept connection was closed between probes: look now.

        Not again within an interval after such a look found the server well: it closes idle
        connections for reasons of its own, and a storm of probes would tell nothing.
        """
        if now - call.answered_at < CLOSE_SOON_S:
            self._closed_after_answer(call, now)
            if not call.keep:
                return
        else:
            call.closes = 0
        if now >= call.hint_after:
            call.hinted = True
            self._start(call, now)

    def _judge(self, watch: Watch, answer: Answer, now: float, latency_ms: float) -> int:
        step = verdict_step(
            watch.verdict, ok=bool(answer.ok), closed=answer.closed, policy=watch.policy
        )
        watch.verdict = step.verdict
        for signal in step.signals:
            self._outbox.signal(
                SignalRow(
                    id=watch.target.id,
                    kind=signal.turn.value,
                    at=now,
                    reason=answer.reason,
                    count=signal.count,
                    of=signal.of,
                    latency_ms=latency_ms,
                    boot_id=watch.boot_id,
                )
            )
        return step.delay_ms

    def _identity(self, watch: Watch, answer: Answer, now: float) -> None:
        if not answer.boot_id or answer.boot_id == watch.boot_id:
            return
        kind = "restarted" if watch.boot_id else "boot"
        watch.boot_id = answer.boot_id
        self._outbox.signal(
            SignalRow(id=watch.target.id, kind=kind, at=now, boot_id=answer.boot_id)
        )

    def _connection(self, watch: Watch, answer: Answer, now: float) -> None:
        watch.answered_at = now
        if watch.hinted:
            watch.hinted = False
            if not answer.closed:
                # benign: the server is there; it may close again, but not make us look each time
                watch.hint_after = now + watch.policy.interval_ms / 1000
        if not watch.keep or not answer.ok:
            return
        if not answer.reusable:
            self._closed_after_answer(watch, now)
        elif watch.reused:
            watch.closes = 0

    def _closed_after_answer(self, watch: Watch, now: float) -> None:
        watch.closes += 1
        if watch.closes < CLOSES_MAX:
            return
        watch.keep = False
        self._outbox.signal(
            SignalRow(
                id=watch.target.id,
                kind="tripwire_off",
                at=now,
                reason="the server closes the connection after each answer",
                count=watch.closes,
                of=CLOSES_MAX,
                boot_id=watch.boot_id,
            )
        )

    def _target_set(self, target: Target, old: Watch | None) -> None:
        now = self._clock()
        try:
            watch = Watch(target)
        except (ParamsError, ValueError, KeyError) as error:
            # the parent checks before it sends; a target that slips through is shown, not probed
            self.targets_drop([target.id])
            self._outbox.result(
                target.id, ok=None, reason=f"settings: {error}", at=now, latency_ms=None, load=None
            )
            return
        if old is not None:
            watch.verdict, watch.boot_id = old.verdict, old.boot_id
            if _wire_settings(old.target) == _wire_settings(target):
                watch.keep = old.keep
            self._retire(old)
        self._watches[target.id] = watch
        self._schedule(watch, watch.policy.interval_ms, now)

    def _retire(self, watch: Watch) -> None:
        self.dialer.cancel(watch)
        self.dialer.forget_name(watch.host)

    def _cancel(self, watch: Watch, now: float) -> None:
        self.dialer.cancel(watch)
        self._schedule(watch, watch.policy.interval_ms, now)

    def _wake(self, watch: Watch, now: float) -> None:
        if watch.stage is Stage.IDLE:
            self._start(watch, now)
        elif now + EARLY_S < watch.deadline:
            self._timetable.add(watch.deadline, watch)  # it was given time back
        else:
            self.dialer.expire(watch, now)

    def _start(self, watch: Watch, now: float) -> None:
        self.dialer.begin(watch, now)
        if watch.stage is not Stage.IDLE:
            self._timetable.add(watch.deadline, watch)

    def _schedule(self, watch: Watch, delay_ms: int, now: float) -> None:
        decided = delay_ms >= watch.policy.interval_ms
        self._timetable.add(watch.next_slot(now) if decided else now + delay_ms / 1000, watch)

    def _forgive(self, lost_s: float, now: float) -> None:
        self._stalls += 1
        for watch in self._watches.values():
            if watch.stage is not Stage.IDLE:
                full = now + watch.timeout_ms / 1000
                watch.deadline = max(watch.deadline, min(watch.deadline + lost_s, full))


def _settings(target: Target) -> Target:
    """What of a target is the parent's to say; verdict and identity are ours once we watch it."""
    return replace(target, health="unknown", boot_id="")


def _wire_settings(target: Target) -> tuple[object, ...]:
    return target.address, target.port, target.kind, target.params

"""The demo fleet's keeper: runs the demo's hosts and keeps the registry in agreement with them."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from django.db import DatabaseError

from examples.demo import plan as demo
from pool_manager.fleet.models import Dependency, Host, Pool
from pool_manager.fleet.services import InstanceSpec, instances_register, object_save, zone_ensure
from pool_manager.fleet.services.edit import DEMO_LABEL
from pool_manager.fleet.services.register import host_ensure
from pool_manager.journal import services as journal

ACTOR = "demo"
STOP_S = 8.0
LOOK_S = 1.0
GATHER_S = 0.1  # a burst of starts is registered in one transaction
START_S = 4.0
PROBE = {
    "interval_ms": 1000,
    "timeout_ms": 250,
    "rise": 2,
    "fall": 2,
    "fast_ms": 100,
    "recheck_ms": 20,
}


def fleet_ensure(fleet: demo.DemoFleet) -> None:
    """Zones, hosts, pools and dependencies of the demo, whatever is there already."""
    with journal.write(actor=ACTOR):
        zones = {
            name: zone_ensure(name=name, actor=ACTOR, labels=DEMO_LABEL) for name in fleet.zones
        }
        for host in fleet.hosts:
            host_ensure(
                name=host.name,
                zone=zones[host.zone],
                storage=host.storage,
                actor=ACTOR,
                labels=DEMO_LABEL,
            )
        pools = {pool.slug: _pool_ensure(pool) for pool in fleet.pools}
        for pool in fleet.pools:
            for dependency in pool.depends_on:
                Dependency.objects.get_or_create(
                    caller=pools[pool.slug],
                    callee=pools[dependency.pool],
                    defaults={"tolerance_ms": dependency.tolerance_ms},
                )


def _pool_ensure(wanted: demo.DemoPool) -> Pool:
    pool = Pool.objects.filter(slug=wanted.slug).first()
    if pool is None:
        pool = Pool(
            slug=wanted.slug,
            kind=wanted.kind,
            owner="demo",
            labels=DEMO_LABEL,
            allow_drills=True,
            probe_kind="http",
            probe_params={"path": wanted.probe_path},
            **PROBE,
        )
        object_save(obj=pool, created=True, changed=(), actor=ACTOR)
    return pool


@dataclass(frozen=True, slots=True)
class Started:
    """A demo process that listens: where, and under which process id."""

    pool: str
    host: str
    address: str
    port: int
    pid: int | None = None
    boot_id: str = ""


def instances_ensure(started: Iterable[Started]) -> None:
    """Register what listens, or bring what is known up to date with its process id."""
    hosts = {host.name: host for host in Host.objects.select_related("zone")}
    by_pool: dict[str, list[tuple[Host, InstanceSpec]]] = {}
    for one in started:
        spec = InstanceSpec(
            one.address,
            one.port,
            demo.BUILD,
            boot_id=one.boot_id,
            labels=DEMO_LABEL,
            metadata={"pid": one.pid},
        )
        host = hosts.get(one.host)  # None: an operator deleted it; nothing is registered there
        if host is not None:
            by_pool.setdefault(one.pool, []).append((host, spec))
    with journal.write(actor=ACTOR):
        for pool in Pool.objects.filter(slug__in=by_pool, labels__demo="true"):
            instances_register(pool=pool, specs=by_pool[pool.slug], actor=ACTOR)


def instances_planned(fleet: demo.DemoFleet) -> list[Started]:
    """Every instance of the plan, whether it could start or not."""
    return [
        Started(instance.pool, host.name, host.address, instance.port)
        for host in fleet.hosts
        for instance in host.instances
    ]


def fleet_exists() -> bool:
    """Whether any pool of the demo is still registered."""
    return Pool.objects.filter(labels__demo="true").exists()


@dataclass(slots=True)
class Keeper:
    """Runs until told to stop or until the demo was removed from the registry."""

    fleet: demo.DemoFleet
    store: Path
    respawn_s: float | None
    rate: float
    cwd: Path
    _processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    _arguments: dict[str, Sequence[str]] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)
    _lines: SimpleQueue[str] = field(default_factory=SimpleQueue)
    _fresh: list[Started] = field(default_factory=list)
    _seen: set[tuple[str, int]] = field(default_factory=set)
    _all_known: bool = False
    _began: float = field(default_factory=time.monotonic)

    def run(self, stop: threading.Event) -> bool:
        """True when it ended because the demo was removed."""
        try:
            for host in self.fleet.hosts:
                # a directory of its own: an ephemeral disk is its host's alone
                store = self.store / host.name
                self._start(
                    f"host {host.name}",
                    demo.host_arguments(self.fleet, host, store=store, respawn_s=self.respawn_s),
                )
            self._start("load", demo.load_arguments(self.fleet, rate=self.rate))
            while not stop.is_set():
                self._registry_update()
                self._look()
                try:
                    if not fleet_exists():
                        return True
                except DatabaseError:
                    continue  # not now; the demo does not depend on it
            return False
        finally:
            self._end()

    def _start(self, name: str, arguments: Sequence[str]) -> None:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.cwd,
        )
        self._processes[name] = process
        self._arguments[name] = arguments
        threading.Thread(target=self._pump, args=(process,), daemon=True).start()

    def _look(self) -> None:
        """A host that died takes its instances along and comes back like they do."""
        now = time.monotonic()
        for name, process in list(self._processes.items()):
            if process.poll() is None or self.respawn_s is None:
                continue
            due = self._due.setdefault(name, now + self.respawn_s)
            if now >= due:
                del self._due[name]
                _close(process)
                self._start(name, self._arguments[name])

    def _pump(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self._lines.put(line)

    def _registry_update(self) -> None:
        """Register what the hosts said since the last look; wait at most `LOOK_S` for it."""
        try:
            self._take(self._lines.get(timeout=LOOK_S))
            while True:
                self._take(self._lines.get(timeout=GATHER_S))
        except Empty:
            pass
        if not self._all_known and time.monotonic() - self._began > START_S:
            # what could not start is shown as down, not left out
            known = {(one.address, one.port) for one in self._fresh} | self._seen
            missing = [
                one for one in instances_planned(self.fleet) if (one.address, one.port) not in known
            ]
            self._fresh.extend(missing)
            self._all_known = True
        if self._fresh:
            self._store()

    def _store(self) -> None:
        try:
            instances_ensure(self._fresh)
        except DatabaseError as error:
            say(f"{len(self._fresh)} instances not registered yet: {error}")
            return
        self._seen.update((one.address, one.port) for one in self._fresh)
        self._fresh.clear()

    def _take(self, line: str) -> None:
        try:
            said: dict[str, Any] = json.loads(line)
        except ValueError:
            return
        if said.get("event") == "failed":
            say(f"{said.get('pool')} on {said.get('host')}: {said.get('reason')}")
        if said.get("event") == "started":
            names = (field.name for field in dataclasses.fields(Started))
            self._fresh.append(Started(**{name: said[name] for name in names}))

    def _end(self) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(process)


def _close(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def removed_note(data_dir: Path) -> Path:
    """The file that says the operator removed the demo here."""
    return data_dir / "demo-removed"


def say(sentence: str) -> None:
    """One line for the terminal that `up` runs in."""
    os.write(2, f"demo: {sentence}\n".encode())

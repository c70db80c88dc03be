"""The demo fleet's keeper: runs the demo's hosts and keeps the registry in agreement with them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from django.db import DatabaseError, transaction

from examples.demo import plan as demo
from pool_manager.fleet.models import Dependency, Host, Instance, Pool
from pool_manager.fleet.services import InstanceSpec, instances_register, object_save, zone_ensure
from pool_manager.fleet.services.edit import DEMO_LABEL
from pool_manager.fleet.services.register import host_ensure
from pool_manager.journal import services as journal

ACTOR = "demo"
STOP_S = 8.0
LOOK_S = 1.0
PROBE = {
    "interval_ms": 1000,
    "timeout_ms": 250,
    "rise": 2,
    "fall": 2,
    "fast_ms": 100,
    "recheck_ms": 20,
}


def fleet_ensure(fleet: demo.DemoFleet) -> None:
    """Zones, hosts, pools, dependencies and instances of the demo, whatever is there already."""
    with journal.write(actor=ACTOR):
        zones = {
            name: zone_ensure(name=name, actor=ACTOR, labels=DEMO_LABEL) for name in fleet.zones
        }
        hosts = {
            host.name: host_ensure(
                name=host.name,
                zone=zones[host.zone],
                storage=host.storage,
                actor=ACTOR,
                labels=DEMO_LABEL,
            )
            for host in fleet.hosts
        }
        pools = {pool.slug: _pool_ensure(pool) for pool in fleet.pools}
        for pool in fleet.pools:
            for dependency in pool.depends_on:
                Dependency.objects.get_or_create(
                    caller=pools[pool.slug],
                    callee=pools[dependency.pool],
                    defaults={"tolerance_ms": dependency.tolerance_ms},
                )
        _instances_ensure(fleet, hosts, pools)


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


def _instances_ensure(
    fleet: demo.DemoFleet, hosts: dict[str, Host], pools: dict[str, Pool]
) -> None:
    for slug, pool in pools.items():
        specs = [
            (
                hosts[host.name],
                InstanceSpec(host.address, instance.port, demo.BUILD, labels=DEMO_LABEL),
            )
            for host in fleet.hosts
            for instance in host.instances
            if instance.pool == slug
        ]
        instances_register(pool=pool, specs=specs, actor=ACTOR)


def fleet_exists() -> bool:
    """Whether any pool of the demo is still registered."""
    return Pool.objects.filter(labels__demo="true").exists()


def pids_note(pids: dict[tuple[str, str, int], int]) -> None:
    """Store the process ids that (pool, address, port) run under; no journal entry."""
    with transaction.atomic():
        for row in Instance.objects.select_related("pool").filter(labels__demo="true"):
            pid = pids.get((row.pool.slug, row.address, row.port))
            if pid is not None and row.metadata.get("pid") != pid:
                row.metadata = {**row.metadata, "pid": pid}
                row.save(update_fields=["metadata"])


@dataclass(slots=True)
class Keeper:
    """Runs until told to stop or until the demo was removed from the registry."""

    fleet: demo.DemoFleet
    store: Path
    respawn_s: float | None
    rate: float
    cwd: Path
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)
    _lines: SimpleQueue[str] = field(default_factory=SimpleQueue)
    _pids: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> bool:
        """True when it ended because the demo was removed."""
        try:
            for host in self.fleet.hosts:
                self._start(
                    demo.host_arguments(
                        self.fleet, host, store=self.store, respawn_s=self.respawn_s
                    )
                )
            self._start(demo.load_arguments(self.fleet, rate=self.rate))
            while not stop.is_set():
                self._registry_update()
                if not fleet_exists():
                    return True
                for process in self._processes:
                    if process.poll() is not None:
                        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
            return False
        finally:
            self._end()

    def _start(self, arguments: Sequence[str]) -> None:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.cwd,
        )
        self._processes.append(process)
        threading.Thread(target=self._pump, args=(process,), daemon=True).start()

    def _pump(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self._lines.put(line)

    def _registry_update(self) -> None:
        """Take what the hosts said, at most once a second's worth; store new process ids."""
        changed = False
        try:
            line = self._lines.get(timeout=LOOK_S)
            while True:
                changed |= self._take(line)
                line = self._lines.get(timeout=0.05)
        except Empty:
            pass
        if changed:
            try:
                pids_note(self._pids)
            except DatabaseError as error:
                sys.stderr.write(f"demo: process ids not stored: {error}\n")

    def _take(self, line: str) -> bool:
        try:
            said: dict[str, Any] = json.loads(line)
        except ValueError:
            return False
        if said.get("event") == "failed":
            sys.stderr.write(
                f"demo: {said.get('pool')} on {said.get('host')}: {said.get('reason')}\n"
            )
        if said.get("event") != "started":
            return False
        self._pids[said["pool"], said["address"], said["port"]] = said["pid"]
        return True

    def _end(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def removed_note(data_dir: Path) -> Path:
    """The file that says the operator removed the demo here."""
    return data_dir / "demo-removed"


def say(sentence: str) -> None:
    """One line for the terminal that `up` runs in."""
    os.write(2, f"demo: {sentence}\n".encode())

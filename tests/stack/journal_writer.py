"""Writes N entries in batches of random size: `journal_writer.py NAME N SEED`, on the settings' database."""

from __future__ import annotations

import os
import random
import sys
import threading

import django

PAUSE_S = 0.12


def main(name: str, count: int, seed: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pool_manager.settings")
    django.setup()
    from pool_manager.journal import services as journal

    chance = random.Random(seed)
    pause = threading.Event()
    left = count
    while left:
        batch = min(left, chance.randint(1, 20))
        with journal.write(actor=name) as tx:
            for _ in range(batch):
                tx.record("config.changed", f"{name} wrote", data={"what": name, "fields": []})
        left -= batch
        pause.wait(chance.uniform(0.0, PAUSE_S))  # long enough a run that readers are cut in it


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

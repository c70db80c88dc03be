"""A process that writes to the journal: `python writers.py migrate | write NAME COUNT SEED`.

Says every number it was given on a line of its own, once it is committed.
"""

from __future__ import annotations

import os
import random
import sys

import django

BATCH_MAX = 20


def write(name: str, count: int, seed: int) -> None:
    """Write `count` entries in batches of 1 to 20."""
    from pool_manager.journal import services as journal

    chance = random.Random(seed)
    left = count
    while left:
        size = min(left, chance.randint(1, BATCH_MAX))
        with journal.write(actor=name) as tx:
            for _ in range(size):
                tx.record("control.started", name, data={"process": name, "pid": os.getpid()})
        left -= size
        sys.stdout.write(f"{tx.seq} {size}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pool_manager.settings")
    django.setup()
    if sys.argv[1] == "migrate":
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
    else:
        write(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

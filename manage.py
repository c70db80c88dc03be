#!/usr/bin/env python
from __future__ import annotations

import os
import sys


def main() -> None:
    """Run a management command; `manage.py help` lists them."""
    if sys.argv[1:2] == ["up"]:
        # the supervisor needs no Django: what it starts is on its way a second earlier
        from pool_manager.ops import up

        sys.exit(up.main(sys.argv[2:], prog="manage.py up"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pool_manager.settings")
    from pool_manager.stores import lifeline

    # before Django: a slow start must not outlive its parent either
    lifeline.attach()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

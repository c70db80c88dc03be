"""`python -m pool_manager.health.engine --fd N`: N is one end of a socketpair to the parent."""

from __future__ import annotations

import argparse
import sys

from pool_manager.stores.lifeline import die_with_parent


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m pool_manager.health.engine", description=__doc__
    )
    # first of all: the closed socket tells us too, but a stopped process reads none
    die_with_parent()
    from pool_manager.health.engine.process import run

    parser.add_argument("--fd", type=int, required=True, help="descriptor of the parent's socket")
    return run(parser.parse_args().fd)


if __name__ == "__main__":
    sys.exit(main())

"""Runs benchmarks and prints one table each: `python -m benchmarks.run [--json F] [--quick] [GROUP…]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks import detection, journal, start
from benchmarks.claims import Outcome

GROUPS = {
    "health": (("detection", detection),),
    "live": (("journal", journal),),
    "start": (("start", start),),
}


def machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="F", help="also write the claims to this file")
    parser.add_argument("--quick", action="store_true", help="a short form")
    parser.add_argument("groups", nargs="*", help=f"of {', '.join(GROUPS)}; all if none")
    options = parser.parse_args()
    unknown = set(options.groups) - GROUPS.keys()
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: there is {', '.join(GROUPS)}")
    about = machine()
    print(f"{about['system']}, Python {about['python']}, {about['cores']} cores")
    whole = Outcome()
    for group in options.groups or GROUPS:
        for name, module in GROUPS[group]:
            outcome = module.run(quick=options.quick)
            _table(name, outcome)
            whole.claims += outcome.claims
            whole.not_run += outcome.not_run
    if options.json:
        body = {
            "machine": about,
            "claims": [claim.as_json() for claim in whole.claims],
            "not_run": whole.not_run,
        }
        options.json.write_text(json.dumps(body, indent=1) + "\n")
    return 0 if all(claim.holds for claim in whole.claims) else 1


def _table(name: str, outcome: Outcome) -> None:
    print(f"\n{name}")
    for line in outcome.shown:
        print(f"  {line}")
    for claim in outcome.claims:
        verdict = "holds" if claim.holds else "DOES NOT HOLD"
        print(f"  {claim.name}: {claim.value:.2f} {claim.unit}, at most {claim.bound:g}: {verdict}")
        if claim.peer_value is not None:
            print(f"      beside it, {claim.peer}: {claim.peer_value:.2f}")
    for reason in outcome.not_run:
        print(f"  not run: {reason}")


if __name__ == "__main__":
    sys.exit(main())

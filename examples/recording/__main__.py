"""One recording service by hand: python -m examples.recording --store DIR."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import signal
import sys
from pathlib import Path
from typing import NoReturn

from examples.recording.application import RecordingApplication
from examples.recording.store import RecordingStore
from examples.service import Identity, Service, listener_open


def main() -> NoReturn:
    parser = argparse.ArgumentParser(prog="python -m examples.recording", description=__doc__)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9001, help="0 takes a free one")
    parser.add_argument("--store", type=Path, required=True, help="directory for recordings")
    parser.add_argument("--build", default="by-hand")
    options = parser.parse_args()
    logging.basicConfig()
    try:
        listener = listener_open(options.address, options.port)
    except (OSError, OverflowError) as error:
        parser.error(f"cannot listen on {options.address}:{options.port}: {error}")
    port = listener.getsockname()[1]
    instance = f"{options.address}:{port}"
    identity = Identity("recording", instance, secrets.token_hex(8), options.build)
    application = RecordingApplication(RecordingStore(options.store), instance=instance)
    print(f"recording service on http://{instance}/, store {options.store}", flush=True)
    service = Service(application, identity)
    asyncio.run(service.run(listener, stop_signals=[signal.SIGTERM, signal.SIGINT]))
    sys.stderr.flush()
    os._exit(0)  # a worker that outlived the drain is not waited for


if __name__ == "__main__":
    main()

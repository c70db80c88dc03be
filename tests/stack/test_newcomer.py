"""A newcomer's first command, for real: a clone under a path with spaces, no root, port 8000 taken."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import requests

from tests.stack.running import CHECKOUT, processes_with
from tests.waiting import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(420)]

NOBODY = 65534
REACH = re.compile("^PIP_|proxy|SSL_CERT|REQUESTS_CA|CURL_CA", re.IGNORECASE)
INSTALL_S = 300  # from nothing: the wheels come from the package index


def as_newcomer() -> list[str]:
    """What to put before a command so that it does not run as root."""
    if os.getuid() != 0:
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def newcomer_env(home: Path) -> dict[str, str]:
    """A bare environment; only how packages are reached is taken over."""
    reach = {name: value for name, value in os.environ.items() if REACH.search(name)}
    return {**reach, "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin"}


def clone(where: Path) -> None:
    """What git has of this checkout, as the newcomer's own."""
    subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(where)], check=True, timeout=60)
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(where)], check=True, timeout=60)


def test_make_run_comes_up_in_a_fresh_clone_and_says_where(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    base = tmp_path_factory.mktemp("new comer")
    for parent in (base, *base.parents[:2]):
        parent.chmod(0o755)  # pytest closes its directories to others
    home = base / "home"
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    checkout = base / "pool manager"
    clone(checkout)
    said = base / "said"
    with socket.socket() as taken, said.open("w") as out:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody else has it: just as well
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        process = subprocess.Popen(
            [*as_newcomer(), "make", "run"],
            cwd=checkout,
            env=newcomer_env(home),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            url = wait_until(
                lambda: announced(process, said), seconds=INSTALL_S, what="it says where", every=0.5
            )
            assert "port 8000 is taken: listening on" in said.read_text()
            assert requests.get(f"{url}/readyz", timeout=5).status_code == 200
            assert "recording" not in requests.get(f"{url}/", timeout=5).text  # the login page
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)  # Ctrl-C reaches make and `up` alike
            process.wait(timeout=60)
    left = processes_with(f"POOL_MANAGER_DATA_DIR={checkout}/var", words=str(checkout))
    assert left == []


def announced(process: subprocess.Popen[bytes], said: Path) -> str | None:
    text = said.read_text()
    assert process.poll() is None, text
    if "Ctrl-C" not in text:
        return None
    return text.partition("is up at ")[2].partition("/\n")[0]

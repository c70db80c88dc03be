from __future__ import annotations

import pytest

from pool_manager.ops.listener import PORT_DEFAULT, PortError, listener_open

HOST = "127.77.0.1"


def test_the_port_asked_for_or_none() -> None:
    with listener_open(HOST, 45871) as first:
        assert first.getsockname() == (HOST, 45871)
        with pytest.raises(PortError, match=f"port 45871 on {HOST} is taken"):
            listener_open(HOST, 45871)
    listener_open(HOST, 45871).close()


def test_without_a_wish_the_next_free_one() -> None:
    with listener_open(HOST, None) as first, listener_open(HOST, None) as second:
        assert first.getsockname()[1] == PORT_DEFAULT
        assert second.getsockname()[1] == PORT_DEFAULT + 1


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_ours_is_refused_with_a_remedy(host: str) -> None:
    with pytest.raises(
        PortError, match=r"cannot listen on .* choose others with --host and --port"
    ):
        listener_open(host, 45872)

from __future__ import annotations

import hashlib
import http.client
import io
import re
import signal
import socket
import threading
import wave
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
import requests

from examples.demo.load import voice_note
from examples.recording.wav import Clip, clip_read, clip_write
from tests.examples.example_processes import ADDRESS, health, running_recording, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.examples.example_processes import RunningRecording

NOTE = voice_note(0.4, 440)
OTHER_NOTE = voice_note(0.4, 330)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRecording]:
    with running_recording(tmp_path_factory.mktemp("a store")) as running:
        yield running


@pytest.fixture
def own_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRecording]:
    with running_recording(tmp_path_factory.mktemp("a store")) as running:
        yield running


def connection(service: RunningRecording) -> socket.socket:
    return socket.create_connection((ADDRESS, service.port), timeout=5)


def answer_status(wire: socket.socket) -> int:
    return int(re.split(rb"[ \r]", wire.recv(65536), maxsplit=2)[1])


def test_a_recording_is_trimmed_made_louder_and_kept(own_service: RunningRecording) -> None:
    answer = own_service.process_clip(NOTE, key="first").json()
    assert answer["key"] == "first"
    assert answer["trimmed_ms"] == pytest.approx(60, abs=2)  # 2 x 50 ms, 20 ms kept beside the tone
    assert answer["seconds"] == pytest.approx(0.34, abs=0.002)
    assert answer["gain_db"] < 0
    assert answer["instance"] == f"{ADDRESS}:{own_service.port}"
    stored = requests.get(f"{own_service.url}recordings/{answer['sha256']}", timeout=5)
    assert stored.headers["Content-Type"] == "audio/wav"
    assert hashlib.sha256(stored.content).hexdigest() == answer["sha256"]
    assert len(stored.content) == answer["bytes"]
    with wave.open(io.BytesIO(stored.content)) as clip:
        assert clip.getframerate() == 8000


def test_the_same_key_twice_is_one_stored_object(own_service: RunningRecording) -> None:
    first, second = (own_service.process_clip(NOTE, key="k") for _ in range(2))
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(own_service.stored()) == 1


def test_without_a_key_the_content_is_the_key(own_service: RunningRecording) -> None:
    answers = [own_service.process_clip(NOTE).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["key"] == hashlib.sha256(NOTE).hexdigest()


def test_a_key_with_another_body_is_a_conflict(service: RunningRecording) -> None:
    assert service.process_clip(NOTE, key="conflict").ok
    refused = service.process_clip(OTHER_NOTE, key="conflict")
    assert refused.status_code == 409
    assert "new key" in refused.json()["error"]


def test_a_swept_object_comes_back_with_its_key(own_service: RunningRecording) -> None:
    first = own_service.process_clip(NOTE, key="k").json()
    own_service.stored()[0].unlink()
    assert own_service.process_clip(NOTE, key="k").json() == first
    assert len(own_service.stored()) == 1


def test_concurrent_twins_on_two_instances_get_one_answer(own_service: RunningRecording) -> None:
    with running_recording(own_service.store) as other, ThreadPoolExecutor(6) as threads:
        together = threading.Barrier(6)

        def call(number: int) -> requests.Response:
            together.wait(timeout=5)
            return (own_service, other)[number % 2].process_clip(NOTE, key="twin")

        answers = list(threads.map(call, range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({answer.text for answer in answers}) == 1
    assert len(own_service.stored()) == len(own_service.stored("keys/*")) == 1
    assert not own_service.stored("incoming/*")


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        pytest.param("POST", "/process", {}, b"hello", 400, id="not a WAV"),
        pytest.param("POST", "/process", {}, b"", 400, id="nothing"),
        pytest.param(
            "POST", "/process", {"Idempotency-Key": "a b"}, NOTE, 400, id="key with space"
        ),
        pytest.param("POST", "/process", {"Idempotency-Key": "a" * 201}, NOTE, 400, id="long key"),
        pytest.param("POST", "/process", {"Transfer-Encoding": "chunked"}, b"", 411, id="chunked"),
        pytest.param("GET", "/process", {}, b"", 405, id="method"),
        pytest.param("POST", "/healthz", {}, b"", 405, id="health by POST"),
        pytest.param("GET", "/else", {}, b"", 404, id="path"),
        pytest.param("GET", "/recordings/" + "0" * 64, {}, b"", 404, id="unknown recording"),
        pytest.param("GET", "/recordings/../x", {}, b"", 404, id="no hash"),
        pytest.param("GET", "/healthz", {"X": "a" * 20_000}, b"", 431, id="large head"),
    ],
)
def test_bad_input_is_refused_in_words(
    service: RunningRecording,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    status: int,
) -> None:
    with closing(http.client.HTTPConnection(ADDRESS, service.port, timeout=5)) as wire:
        wire.request(method, path, body=body, headers=headers)
        answer = wire.getresponse()
        assert answer.status == status
        assert b'"error"' in answer.read()


def test_a_body_over_the_limit_is_refused_before_it_is_sent(service: RunningRecording) -> None:
    with connection(service) as wire:
        length = 16 * 1024 * 1024 + 1
        wire.sendall(b"POST /process HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % length)
        assert answer_status(wire) == 413


def test_a_client_may_ask_before_it_sends(service: RunningRecording) -> None:
    with connection(service) as wire:
        wire.sendall(
            b"POST /process HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
            % len(NOTE)
        )
        assert answer_status(wire) == 100
        wire.sendall(NOTE)
        assert answer_status(wire) == 200


def test_requests_sent_in_one_go_are_answered_in_turn(service: RunningRecording) -> None:
    with connection(service) as wire:
        wire.sendall(
            b"GET /healthz HTTP/1.1\r\n\r\n" * 2 + b"GET /no HTTP/1.1\r\nConnection: close\r\n\r\n"
        )
        everything = b"".join(iter(lambda: wire.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", everything) == [b"200", b"200", b"404"]


def test_idle_connections_hold_nobody_up(service: RunningRecording) -> None:
    with ExitStack() as idle:
        for _ in range(30):
            idle.enter_context(connection(service))
        assert health(service.port)["status"] == "ok"
        assert service.process_clip(NOTE).ok


def test_health_is_answered_while_a_long_recording_is_processed(service: RunningRecording) -> None:
    long_note = clip_write(Clip(8000, 1, clip_read(NOTE).samples * 500))
    with ThreadPoolExecutor(1) as threads:
        long_call = threads.submit(service.process_clip, long_note)
        wait_until(lambda: health(service.port)["load"] > 0, "load while it is processed")
        assert not long_call.done()
        assert long_call.result().ok


def test_a_client_that_leaves_in_the_middle_is_forgotten(service: RunningRecording) -> None:
    with connection(service) as wire:
        wire.sendall(b"POST /process HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        wait_until(lambda: health(service.port)["in_flight"] == 1, "the call in flight")
    wait_until(lambda: health(service.port)["in_flight"] == 0, "the call forgotten")


def test_sigterm_drains(own_service: RunningRecording) -> None:
    with connection(own_service) as wire, connection(own_service) as idle:
        head = b"POST /process HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(NOTE)
        wire.sendall(head + NOTE[:100])
        wait_until(lambda: health(own_service.port)["in_flight"] == 1, "the call in flight")
        own_service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: health(own_service.port)["status"] == "draining", "draining")
        probe = requests.get(f"{own_service.url}healthz", timeout=5)
        assert (probe.status_code, probe.headers["Connection"]) == (503, "close")
        assert own_service.process_clip(NOTE).status_code == 503
        wire.sendall(NOTE[100:])
        assert answer_status(wire) == 200
        assert own_service.process.wait(timeout=5) == 0
        assert idle.recv(1) == b""


def test_a_drain_does_not_wait_for_ever(own_service: RunningRecording) -> None:
    with connection(own_service) as wire:
        wire.sendall(b"POST /process HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        wait_until(lambda: health(own_service.port)["in_flight"] == 1, "the call in flight")
        own_service.process.send_signal(signal.SIGTERM)
        assert own_service.process.wait(timeout=5) == 0

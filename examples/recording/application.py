"""POST /process and GET /recordings/{sha256}: voice recordings made fit to be heard."""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING

from examples.http_message import Answer, Refusal, answer_json
from examples.recording.store import KeyRecord
from examples.recording.wav import (
    BadAudio,
    clip_read,
    clip_write,
    loudness_apply,
    loudness_gain,
    silence_trim,
)

if TYPE_CHECKING:
    from examples.http_message import Request
    from examples.recording.store import RecordingStore

KEY = re.compile(r"[\x21-\x7e]{1,200}")
RECORDINGS = "/recordings/"


class RecordingApplication:
    body_limit = 16 * 1024 * 1024
    threads = 2

    def __init__(self, store: RecordingStore, *, instance: str) -> None:
        self._store = store
        self._instance = instance

    def handle(self, request: Request) -> Answer:
        if request.path == "/process":
            if request.method != "POST":
                raise Refusal(405, "/process takes POST", headers={"Allow": "POST"})
            return self._process(request)
        if request.path.startswith(RECORDINGS):
            if request.method not in {"GET", "HEAD"}:
                raise Refusal(405, "/recordings/ takes GET", headers={"Allow": "GET, HEAD"})
            return self._recording(request.path.removeprefix(RECORDINGS))
        raise Refusal(
            404, f"no {request.path[:80]} here: POST /process or GET /recordings/{{sha256}}"
        )

    def _process(self, request: Request) -> Answer:
        """Process once per key.

        1. A key that has a record answers from it, if the body is the same and its object is
           still stored.
        2. Otherwise the body is processed. The same body gives the same bytes, so the same
           object, whoever does it and however often.
        3. The first record written for a key is everyone's answer.
        """
        body_sha256 = hashlib.sha256(request.body).hexdigest()
        key = request.headers.get("idempotency-key", body_sha256)
        if not KEY.fullmatch(key):
            raise Refusal(
                400, f"Idempotency-Key {key[:40]!r}: send 1 to 200 visible ASCII characters"
            )
        known = self._store.key_get(key)
        if known and self._store.object_exists(str(known.answer["sha256"])):
            return _replayed(known, key=key, body_sha256=body_sha256)
        record = KeyRecord(body_sha256, self._work(request.body, key=key))
        kept = self._store.key_put(key, record)
        if kept is record:
            return answer_json(200, record.answer)
        return _replayed(kept, key=key, body_sha256=body_sha256)

    def _work(self, body: bytes, *, key: str) -> dict[str, object]:
        try:
            clip = clip_read(body)
        except BadAudio as error:
            raise Refusal(400, str(error)) from error
        trimmed = silence_trim(clip)
        gain = loudness_gain(trimmed.samples)
        data = clip_write(loudness_apply(trimmed, gain))
        return {
            "key": key,
            "sha256": self._store.object_put(data),
            "bytes": len(data),
            "seconds": round(trimmed.seconds, 3),
            "trimmed_ms": round((clip.seconds - trimmed.seconds) * 1000),
            "gain_db": round(20 * math.log10(gain), 1),
            "instance": self._instance,
        }

    def _recording(self, sha256: str) -> Answer:
        data = self._store.object_get(sha256)
        if data is None:
            raise Refusal(404, f"no recording {sha256[:64]!r} here")
        return Answer(200, data, "audio/wav", {"ETag": f'"{sha256}"'})


def _replayed(record: KeyRecord, *, key: str, body_sha256: str) -> Answer:
    if record.body_sha256 != body_sha256:
        raise Refusal(409, f"Idempotency-Key {key!r} was used with another body: send a new key")
    return answer_json(200, record.answer, headers={"Idempotent-Replayed": "true"})

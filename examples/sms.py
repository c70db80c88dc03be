"""POST /messages: a message with a voice note, made fit to be heard by the recording pool.

The body is JSON, {"to": "+4930…", "recording": "<WAV, base64>"}.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
import json
import re
from typing import TYPE_CHECKING

from examples.calls import Caller, CallLimits
from examples.http_message import Answer, Refusal, answer_json
from examples.peers import peers_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.http_message import Request
    from examples.peers import Peer

NUMBER = re.compile(r"\+[0-9]{3,15}")  # E.164
LIMITS = CallLimits(connect_s=0.25, read_s=0.5, deadline_s=1.2, tries=3)


class SmsApplication:
    body_limit = 4 * 1024 * 1024
    threads = 4

    def __init__(self, *, recording_peers: Sequence[Peer], zone: str, instance: str) -> None:
        self._peers = recording_peers
        self._zone = zone
        self._instance = instance
        self._turns = itertools.count()
        self._caller = Caller(LIMITS, connections=self.threads)

    def handle(self, request: Request) -> Answer:
        if request.path != "/messages":
            raise Refusal(404, f"no {request.path[:80]} here: POST /messages")
        if request.method != "POST":
            raise Refusal(405, "/messages takes POST", headers={"Allow": "POST"})
        to, voice_note = message_parse(request.body)
        key = request.headers.get("idempotency-key") or hashlib.sha256(request.body).hexdigest()
        # The caller's key leads to one key at the recording pool, whichever instance this is.
        message_id = hashlib.sha256(f"sms {key}".encode()).hexdigest()[:32]
        route = peers_order(self._peers, zone=self._zone, turn=next(self._turns))
        result = self._caller.post(
            route, "/process", voice_note, key=message_id, headers={"Content-Type": "audio/wav"}
        )
        if not result.ok:
            return self._failed(result.status, result.body, error=result.error, tries=result.tries)
        return answer_json(
            200,
            {
                "id": message_id,
                "to": to,
                "recording": json.loads(result.body),
                "via": result.peer,
                "tries": result.tries,
                "instance": self._instance,
            },
        )

    def _failed(self, status: int, body: bytes, *, error: str, tries: int) -> Answer:
        if status in {400, 409, 413}:  # the voice note or the key is at fault: no peer will differ
            return Answer(status, body)
        content = {"error": f"no recording instance answered ({error})", "tries": tries}
        return answer_json(503, content, headers={"Retry-After": "1"})


def message_parse(body: bytes) -> tuple[str, bytes]:
    """Return the number and the voice note."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"body is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise Refusal(400, 'body is not an object: send {"to", "recording"}')
    to, recording = content.get("to"), content.get("recording")
    if not isinstance(to, str) or not NUMBER.fullmatch(to):
        raise Refusal(400, f"to {str(to)[:40]!r} is not a number such as +493012345")
    if not isinstance(recording, str):
        raise Refusal(400, "recording is missing: send a WAV file in base64")
    try:
        return to, base64.b64decode(recording, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(
            400, f"recording is not base64 ({error}): send a WAV file in base64"
        ) from error

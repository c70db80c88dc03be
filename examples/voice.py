"""POST /calls: sets up a call, that is, chooses the trunk its number goes out on."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from examples.http_message import Answer, Refusal, answer_json

if TYPE_CHECKING:
    from examples.http_message import Request

NUMBER = re.compile(r"\+[0-9]{3,15}")  # E.164
TRUNKS = tuple(f"trunk-{number}" for number in range(1, 9))


class VoiceApplication:
    body_limit = 64 * 1024
    threads = 1

    def __init__(self, *, instance: str) -> None:
        self._instance = instance

    def handle(self, request: Request) -> Answer:
        if request.path != "/calls":
            raise Refusal(404, f"no {request.path[:80]} here: POST /calls")
        if request.method != "POST":
            raise Refusal(405, "/calls takes POST", headers={"Allow": "POST"})
        caller, callee = call_parse(request.body)
        key = request.headers.get("idempotency-key") or hashlib.sha256(request.body).hexdigest()
        return answer_json(
            200,
            {
                "id": hashlib.sha256(f"voice {key}".encode()).hexdigest()[:32],
                "from": caller,
                "to": callee,
                "trunk": trunk_choose(callee),
                "instance": self._instance,
            },
        )


def trunk_choose(number: str) -> str:
    """Rendezvous hashing: a number keeps its trunk while that trunk is there."""
    return max(TRUNKS, key=lambda trunk: hashlib.sha256(f"{trunk} {number}".encode()).digest())


def call_parse(body: bytes) -> tuple[str, str]:
    """Return who calls and who is called."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"body is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise Refusal(400, 'body is not an object: send {"from", "to"}')
    return _number(content, "from"), _number(content, "to")


def _number(content: dict[str, object], field: str) -> str:
    number = content.get(field)
    if not isinstance(number, str) or not NUMBER.fullmatch(number):
        raise Refusal(400, f"{field} {str(number)[:40]!r} is not a number such as +493012345")
    return number

"""Background jobs: RQ carries the call, nothing else. Payloads are JSON; a job id runs once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_rq
from rq.exceptions import DuplicateJobError


def enqueue_once(
    queue: str, call: Callable[..., Any], *, job_id: str, keep_s: int, **payload: Any
) -> bool:
    """Enqueue unless a job of this id is known; False if one is. `keep_s`: how long ids are remembered."""
    try:
        django_rq.get_queue(queue).enqueue(
            call,
            kwargs=payload,
            job_id=job_id,
            unique=True,
            ttl=keep_s,
            result_ttl=keep_s,
            failure_ttl=keep_s,
        )
    except DuplicateJobError:
        return False
    return True

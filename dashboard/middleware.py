"""What every answer of the web process gets: security headers, and static files before anything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from whitenoise.middleware import WhiteNoiseMiddleware

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

Handler = Callable[["HttpRequest"], Any]

CHUNK_BYTES = 65536

POLICY: Mapping[str, str] = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "object-src": "'none'",
}

# Pages of others that need more than the rest, by path prefix; each with its reason.
EXCEPTIONS: Mapping[str, Mapping[str, str]] = {
    # the job queue's pages carry <style> elements; their scripts stay forbidden
    "/admin/django_rq/": {"style-src": "'self' 'unsafe-inline'"},
}


def policy_for(path: str) -> str:
    """The Content-Security-Policy of one path."""
    directives = dict(POLICY)
    for prefix, more in EXCEPTIONS.items():
        if path.startswith(prefix):
            directives |= more
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


class SecurityHeaders:
    """Content-Security-Policy and friends on every answer that does not bring its own.

    Runs in either world, so that no request changes threads because of it.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(cast("Handler", self))

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._call_async(request)
        return self._secured(request, self.get_response(request))

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        return self._secured(request, await self.get_response(request))

    @staticmethod
    def _secured(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Security-Policy", policy_for(request.path_info))
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=()"
        )
        return response


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # WhiteNoise has no types
    """WhiteNoise that streams without a synchronous iterator under ASGI.

    It stands before sessions and login: a style sheet costs no query and needs no user.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Handler) -> None:
        super().__init__(get_response)
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._call_async(request)
        answer: HttpResponseBase = super().__call__(request)
        return answer

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        static_file = self.files.get(request.path_info)
        if static_file is None:
            answer: HttpResponseBase = await self.get_response(request)
            return answer
        # opens the file
        response: StreamingHttpResponse = await asyncio.to_thread(self.serve, static_file, request)
        response.streaming_content = _chunks(response)
        return response


def _chunks(response: StreamingHttpResponse) -> AsyncIterator[bytes]:
    # taken now: setting streaming_content forgets the file; the response still closes it
    file = getattr(response, "file_to_stream", None)

    async def read() -> AsyncIterator[bytes]:
        while file is not None and (data := await asyncio.to_thread(file.read, CHUNK_BYTES)):
            yield data

    return read()

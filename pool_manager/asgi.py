"""The web process: the hot app in front, Channels for the socket, Django for the rest."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pool_manager.settings")

from django.core.asgi import get_asgi_application

django_app = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

from pool_manager.live.hot import Hot
from pool_manager.live.socket import LiveSocket, NoSocket

application = Hot(
    ProtocolTypeRouter(
        {
            "http": django_app,
            "websocket": AuthMiddlewareStack(
                URLRouter([path("ws/live/", LiveSocket.as_asgi()), re_path("", NoSocket.as_asgi())])
            ),
        }
    )
)

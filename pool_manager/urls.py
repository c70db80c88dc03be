"""Every path of the web process but `/healthz`, `/readyz` and `/ws/live/`, which asgi.py answers."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from dashboard.admin.site import admin_site
from pool_manager.live.metrics import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("dashboard.urls")),
    path("admin/", admin_site.urls),
    path("metrics", metrics, name="metrics"),
]

"""The paths of the operator's pages."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from dashboard.views.demo import demo_remove
from dashboard.views.events import events
from dashboard.views.login import LoginPage
from dashboard.views.overview import fleet_json, overview
from dashboard.views.pool_new import pool_new
from dashboard.views.pools import pool, pools

urlpatterns = [
    path("", overview, name="overview"),
    path("fleet.json", fleet_json, name="fleet_json"),
    path("pools/", pools, name="pools"),
    path("pools/new/", pool_new, name="pool_new"),
    path("pools/<slug:slug>/", pool, name="pool"),
    path("events/", events, name="events"),
    path("login/", LoginPage.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("demo/remove/", demo_remove, name="demo_remove"),
]

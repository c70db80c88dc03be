from __future__ import annotations

from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "pool_manager.fleet"
    label = "fleet"

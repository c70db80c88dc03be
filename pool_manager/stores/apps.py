from __future__ import annotations

from django.apps import AppConfig


class StoresConfig(AppConfig):
    name = "pool_manager.stores"
    label = "stores"

"""The same few people and things for every dashboard test."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings


@pytest.fixture(autouse=True)
def plain_static(settings: Settings, tmp_path: Path) -> None:
    """Pages name static files without a manifest; the served folder is empty but there."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()


@pytest.fixture
def operator(db: None) -> User:
    del db  # wanted for what it opens
    return User.objects.create_superuser("ada", password="a long password")


@pytest.fixture
def stranger(db: None) -> User:
    """Has an account, but no staff status."""
    del db  # wanted for what it opens
    return User.objects.create_user("sam", password="a long password")


@pytest.fixture
def client(operator: User) -> Client:
    """The operator's browser."""
    browser = Client()
    browser.force_login(operator)
    return browser

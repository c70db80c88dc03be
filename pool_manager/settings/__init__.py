"""Django's settings, from the environment alone; the same code on one machine and on many."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import dj_database_url

from pool_manager.core.env import EnvironmentFault, env_parse

BASE_DIR = Path(__file__).resolve().parent.parent.parent

try:
    ENV = env_parse(os.environ, base_dir=BASE_DIR)
except EnvironmentFault as fault:
    # before anything starts, one line a variable, no traceback
    sys.stderr.write(f"{fault}\n")
    raise SystemExit(2) from None

DATA_DIR = ENV.data_dir
SECRET_KEY = ENV.secret_key
DEBUG = False
ALLOWED_HOSTS = list(ENV.allowed_hosts)

INSTALLED_APPS = [
    "dashboard",
    "pool_manager.ops",
    "pool_manager.live",
    "pool_manager.health",
    "pool_manager.fleet",
    "pool_manager.access",
    "pool_manager.journal",
    "pool_manager.stores",
    "django.contrib.admin.apps.SimpleAdminConfig",  # found by urls.py; light processes skip it
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_rq",
    "channels",
]

MIDDLEWARE = [
    "dashboard.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "dashboard.middleware.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "pool_manager.urls"
ASGI_APPLICATION = "pool_manager.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# SQLite: web requests wait at most 1 s for the write lock, jobs and probers 20 s (set by `up`)
SQLITE_WAIT_S = ENV.sqlite_wait_s
_SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": SQLITE_WAIT_S,
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA mmap_size=134217728;"
        "PRAGMA journal_size_limit=27103364;PRAGMA cache_size=2000;"
    ),
}
DATABASES: dict[str, Any] = {
    "default": dict(
        dj_database_url.parse(ENV.database_url or f"sqlite:///{DATA_DIR / 'pool-manager.sqlite3'}")
    ),
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = _SQLITE_OPTIONS
    # a file, not memory: tests run several processes and threads on it
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 2,
        "pool": {"min_size": 1, "max_size": 8, "timeout": 2},
        **DATABASES["default"].get("OPTIONS", {}),  # what the URL says: sslmode, a socket's host
    }
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = ENV.redis_url
REDIS_EMBEDDED = ENV.redis_embedded
RQ_QUEUES = {
    name: {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": timeout_s,
        "SERIALIZER": "rq.serializers.JSONSerializer",
    }
    for name, timeout_s in (("act", 60), ("notify", 30), ("slow", 600))
}
RQ = {"WORKER_CLASS": "pool_manager.stores.rq_worker.FastWorker"}

PROBE_ALLOW = ENV.probe_allow
JOURNAL_KEEP_DAYS = ENV.journal_keep_days
JOURNAL_KEEP_ENTRIES = ENV.journal_keep_entries
PROBE_HISTORY_KEEP_HOURS = ENV.probe_history_keep_hours

STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("POOL_MANAGER_STATIC_ROOT") or DATA_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "dashboard.storage.StaticStorage"},
}

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        # what a visitor typed wrong is no trouble of ours; server errors still show
        "django.request": {"level": "ERROR"},
        # a host name that ALLOWED_HOSTS lacks is answered with a page that says so
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
    "root": {"handlers": ["stderr"], "level": ENV.log_level},
}

"""Who may: the operator's account, and what is written about logins."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from pool_manager.journal import services as journal

OPERATOR = "admin"


def operator_ensure(*, password: str, force: bool) -> str | None:
    """Make the operator's account if there is none; `force` sets its password anyway.

    The stored hash if the account was made or set, None if it was left alone.
    """
    users = get_user_model().objects
    user = users.filter(username=OPERATOR).first()
    if user is None:
        return users.create_superuser(username=OPERATOR, email="", password=password).password
    if force and not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
        return user.password
    return None


def login_failed(*, user: str, address: str) -> None:
    """Journal a wrong user name or password; the name is shortened, the password never seen."""
    name = user[:60]
    with journal.write(actor=f"anonymous@{address}") as tx:
        tx.record(
            "access.login_failed",
            f"login as {name!r} failed from {address}",
            data={"user": name, "address": address},
        )

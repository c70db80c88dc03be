"""Who may: the operator's account, and what is written about logins."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from pool_manager.journal import services as journal

OPERATOR = "admin"


def operator_ensure(*, password: str, force: bool) -> bool:
    """Make the operator's account if there is none; `force` sets its password anyway. True if made or set."""
    users = get_user_model().objects
    user = users.filter(username=OPERATOR).first()
    if user is None:
        users.create_superuser(username=OPERATOR, email="", password=password)
        return True
    if force and not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
        return True
    return False


def login_failed(*, user: str, address: str) -> None:
    """Journal a wrong user name or password; the name is shortened, the password never seen."""
    name = user[:60]
    with journal.write(actor=f"anonymous@{address}") as tx:
        tx.record(
            "access.login_failed",
            f"login as {name!r} failed from {address}",
            data={"user": name, "address": address},
        )

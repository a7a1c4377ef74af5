"""The payment providers that the setting names, each out of its file in `payments/`: a new file is a new provider."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module

from livecommerce.orders import payments
from livecommerce.orders.payments.port import PaymentProvider
from livecommerce.settings import SettingsError

PORT = "port"  # the Protocol: no provider


def _made(name: str, account: str) -> PaymentProvider:
    """
    Raises:
        SettingsError: the file declares no provider, or it refuses the account.
    """
    made = getattr(import_module(f"{payments.__name__}.{name}"), "PROVIDER", None)
    if made is None:
        raise SettingsError(f"orders.payments: {name}.py declares no PROVIDER")
    try:
        provider: PaymentProvider = made(account)
    except (SettingsError, ValueError) as error:
        shape = f"{name}:account" if account == "" else f"{name}:{account}"
        raise SettingsError(f"orders.payments: {shape}: {error}") from error
    return provider


def providers_of(named: Sequence[str]) -> tuple[PaymentProvider, ...]:
    """`named`: as `orders.payments` has them, `file` or `file:account`.

    Raises:
        SettingsError: there is no such file, its account is missing or wrong, or two have a method of the same name.
    """
    known = {module.name for module in pkgutil.iter_modules(payments.__path__)} - {PORT}
    found: dict[str, PaymentProvider] = {}
    for entry in named:
        name, _, account = entry.partition(":")
        if name not in known:
            raise SettingsError(f"orders.payments: there is no {name!r}; known are {', '.join(sorted(known))}")
        provider = _made(name, account)
        for method in provider.methods:
            if method in found:
                raise SettingsError(f"orders.payments: {found[method].name} and {name} both have {method}")
            found[method] = provider
    return tuple(dict.fromkeys(found.values()))

"""The payment providers that the setting names, each out of its file in `payments/`: a new file is a new provider."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module

from livecommerce.orders import payments
from livecommerce.orders.payments.port import PaymentProvider
from livecommerce.settings import SettingsError

PORT = "port"  # the Protocol: no provider


def providers_of(named: Sequence[str]) -> tuple[PaymentProvider, ...]:
    """`named`: as `orders.payments` has them, `file` or `file:account`.

    Raises:
        SettingsError: there is no such file, or two of them have a method of the same name.
    """
    known = {module.name for module in pkgutil.iter_modules(payments.__path__)} - {PORT}
    found: dict[str, PaymentProvider] = {}
    for entry in named:
        name, _, account = entry.partition(":")
        if name not in known:
            raise SettingsError(f"orders.payments: there is no {name!r}; known are {', '.join(sorted(known))}")
        provider: PaymentProvider = import_module(f"{payments.__name__}.{name}").PROVIDER(account)
        for method in provider.methods:
            if method in found:
                raise SettingsError(f"orders.payments: {found[method].name} and {name} both have {method}")
            found[method] = provider
    return tuple(dict.fromkeys(found.values()))

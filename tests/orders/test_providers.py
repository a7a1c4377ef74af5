"""Payment providers are found by their file; the setting says which of them a shop is paid by."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

from livecommerce.orders import payments
from livecommerce.orders.payments.manual import ManualPayments
from livecommerce.orders.providers import PORT, providers_of
from livecommerce.orders.settings import Orders
from livecommerce.settings import LOCALES, SettingsError

FILES = sorted({module.name for module in pkgutil.iter_modules(payments.__path__)} - {PORT})


def test_without_a_word_a_shop_is_paid_by_hand() -> None:
    (provider,) = providers_of(Orders().payments)
    assert isinstance(provider, ManualPayments)
    assert providers_of(()) == ()


@pytest.mark.parametrize("file", FILES)
def test_a_provider_has_the_name_of_its_file_and_words_in_every_language(file: str) -> None:
    (provider,) = providers_of([file])
    assert provider.name == file
    for name, method in provider.methods.items():
        for words in (method.names, method.instructions):
            assert set(words) == set(LOCALES), name
            assert all(words.values()), name


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (["shells"], "there is no 'shells'; known are manual"),
        (["port"], "there is no 'port'"),
        ([""], "there is no ''"),
        (["manual", "manual:again"], "manual and manual both have bank_transfer"),
    ],
)
def test_a_setting_that_names_none_or_one_twice_is_refused(named: list[str], why: str) -> None:
    with pytest.raises(SettingsError, match=f"orders.payments: {why}"):
        providers_of(named)


def test_a_file_without_a_provider_and_one_that_refuses_are_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty_one.py").write_text("")
    (tmp_path / "strict_one.py").write_text(
        "class Strict:\n    def __init__(self, account: str) -> None:\n        raise ValueError('no such bank')\n"
        "PROVIDER = Strict\n"
    )
    monkeypatch.setattr(payments, "__path__", [*payments.__path__, str(tmp_path)])
    with pytest.raises(SettingsError, match=r"orders.payments: empty_one.py declares no PROVIDER"):
        providers_of(["empty_one"])
    with pytest.raises(SettingsError, match=r"orders.payments: strict_one:99: no such bank"):
        providers_of(["strict_one:99"])

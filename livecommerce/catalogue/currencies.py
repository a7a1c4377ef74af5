"""Currencies and how many decimals their minor unit has: the one place, for books, exports and commands.

ISO 4217 gives the New Taiwan dollar two decimals (a cent exists by law, not in any till). Shops price in whole dollars,
so here one minor unit of TWD is one dollar: amounts are counted and shown without decimals, on pages, in the export and
in the API alike (`web/shared/currencies.js` has the same table; a test compares). A payment provider that counts in ISO
minor units gets `iso_minor`.
"""

from __future__ import annotations

# ISO 4217: currencies whose minor unit is not a hundredth.
_ISO_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
# Counted in whole units though ISO has decimals.
_WHOLE_UNITS = ("TWD",)

CURRENCIES = frozenset((
    "AED", "AUD", "BDT", "BGN", "BHD", "BIF", "BND", "BRL", "CAD", "CHF", "CLP", "CNY", "COP",
    "CZK", "DJF", "DKK", "EGP", "EUR", "GBP", "GNF", "HKD", "HUF", "IDR", "ILS", "INR", "IQD",
    "ISK", "JOD", "JPY", "KES", "KHR", "KMF", "KRW", "KWD", "KZT", "LAK", "LKR", "LYD", "MAD",
    "MMK", "MNT", "MOP", "MXN", "MYR", "NGN", "NOK", "NPR", "NZD", "OMR", "PEN", "PHP", "PKR",
    "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SEK", "SGD", "THB", "TND", "TRY",
    "TWD", "UAH", "UGX", "USD", "UYU", "VND", "VUV", "XAF", "XOF", "XPF", "ZAR",
))  # fmt: skip


def iso_exponent(currency: str) -> int:
    """Decimals of the minor unit by ISO 4217: TWD 2, JPY 0, USD 2."""
    return _ISO_EXPONENTS.get(currency, 2)


def exponent(currency: str) -> int:
    """Decimals of the minor unit as it is counted here: TWD 0, JPY 0, USD 2."""
    return 0 if currency in _WHOLE_UNITS else iso_exponent(currency)


def iso_minor(minor: int, currency: str) -> int:
    """An amount of ours in ISO minor units: 590 of TWD (NT$590) is 59000; 590 of USD ($5.90) stays 590."""
    return int(minor * 10 ** (iso_exponent(currency) - exponent(currency)))


def whole_units(minor: int, currency: str) -> int:
    """An amount without decimals, as people say it: 590 of TWD is 590, 2500 of USD is 25, 590 of USD is 0 (none)."""
    whole, rest = divmod(minor, int(10 ** exponent(currency)))
    return 0 if rest else whole


def amount(minor: int, currency: str) -> str:
    """`590` minor units of TWD as `590`, of USD as `5.90`."""
    decimals = exponent(currency)
    if decimals == 0:
        return str(minor)
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"

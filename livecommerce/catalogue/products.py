"""What a product is, and when one is refused. Pure.

A sku is the code plus one value of every axis, in axis order, joined by `/` (`A01/紅色/M`); without options
it is the code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import product as every_combination
from math import prod
from typing import Any, Final

import msgspec
from msgspec import Struct

from livecommerce.bounds import LIMIT_PER_VIEWER_MAX, MONEY_MINOR_MAX, PIECES_MAX, PLAIN_PATTERN, shows_something
from livecommerce.catalogue.errors import (
    CodeRefused,
    OptionsRefused,
    PriceRefused,
    ProductRefused,
    SupplyRefused,
)
from livecommerce.catalogue.short_names import derived
from livecommerce.stock.operations import ITEM_LENGTH_MAX
from livecommerce.stock.skus import sku_of_parts

NAMES_MAX = 20  # the full name and the short names viewers use
NAME_LENGTH_MAX = 80
DESCRIPTION_LENGTH_MAX = 4_000
PICTURE_LENGTH_MAX = 500
AXES_MAX = 4  # nobody says more than four choices aloud
VALUES_MAX = 30
SHORT_NAMES_MAX = 10
VALUE_LENGTH_MAX = 40
SKUS_MAX = 200  # a page lists them all with their stock

CODE_PATTERN = r"[^\s/#\x00-\x1f\x7f]{1,20}"  # no / and #: they join a sku and a reservation id
_CODE = re.compile(CODE_PATTERN)
_VALUE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,40}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LINE = re.compile(PLAIN_PATTERN)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # tab and line feed are text
# A picture is ours (`/static/…`, `/media/…`) or https: no javascript:, no data:, no other host's plain http.
_PICTURE = re.compile(r"(/(?!/)|https://)[^\s\"'<>\\]*")


class OptionValue(Struct, frozen=True):
    """One value of an axis (`紅色`) and the short names viewers type for it (`紅`)."""

    value: str
    short: tuple[str, ...] = ()


_UNSAID: Final = ("",)  # no word was said of a value's short names; a name is never empty


class Option(Struct, frozen=True):
    axis: str
    values: tuple[OptionValue, ...]


class Product(Struct, frozen=True):
    """A product of a shop. `compare_at_minor` is the struck-out price; `limit_per_viewer` 0 means no limit."""

    code: str
    names: tuple[str, ...]
    price_minor: int
    currency: str = "TWD"
    name_en: str = ""
    options: tuple[Option, ...] = ()
    compare_at_minor: int | None = None
    picture: str = ""
    description: str = ""
    limit_per_viewer: int = 0

    @property
    def name(self) -> str:
        return self.names[0]

    def skus(self) -> list[str]:
        """Every sku, in axis order."""
        axes = [[value.value for value in option.values] for option in self.options]
        return [sku_of_parts(self.code, values) for values in every_combination(*axes)]


def fold_code(code: str) -> str:
    """How codes are compared: width, case and compatibility forms do not count (`Ａ０１` is `a01`)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", code).casefold())


def _text(value: object, field: str, length_max: int, *, empty: bool = True) -> str:
    if not isinstance(value, str):
        raise ProductRefused(f"{field} must be text.", field=field)
    value = value.strip()
    if not empty and not shows_something(value):
        raise ProductRefused(f"{field} must not be empty.", field=field)
    if len(value) > length_max:
        raise ProductRefused(f"{field} has {len(value)} characters; at most {length_max}.", field=field)
    if (field == "description" and _CONTROL.search(value)) or (field != "description" and not _LINE.match(value)):
        raise ProductRefused(f"{field} has control characters.", field=field)
    return value


def _code(value: object) -> str:
    code = value.strip() if isinstance(value, str) else ""
    # A browser takes `.` and `..` in an address for folders; what shows nothing nobody can say.
    if not _CODE.fullmatch(code) or fold_code(code) in (".", "..") or any(map(_is_unseen, code)):
        raise CodeRefused(field="code")
    return unicodedata.normalize("NFC", code)


def _is_unseen(sign: str) -> bool:
    return not shows_something(sign) or unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn")


def _names(value: object, name: object) -> tuple[str, ...]:
    listed = list(value) if isinstance(value, list | tuple) else [value] if isinstance(value, str) else []
    if isinstance(name, str) and name.strip() and name not in listed:
        listed.insert(0, name)
    if len(listed) > NAMES_MAX:
        raise ProductRefused(f"names has {len(listed)} entries; at most {NAMES_MAX}.", field="names")
    names = [_text(entry, "names", NAME_LENGTH_MAX, empty=False) for entry in listed]
    if not names:
        raise ProductRefused("names needs at least one name.", field="names")
    return tuple(dict.fromkeys(names))


def _whole(value: object) -> int | None:
    """A whole number, also as 590.0 (some JSON writers) but never as a boolean; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def price(value: object, field: str = "price_minor") -> int:
    """A price in minor units.

    Raises:
        PriceRefused
    """
    amount = _whole(value)
    if amount is None or not 0 <= amount <= MONEY_MINOR_MAX:
        raise PriceRefused(field=field)
    return amount


def pieces(value: object, field: str) -> int:
    """A number of pieces.

    Raises:
        SupplyRefused
    """
    amount = _whole(value)
    if amount is None or not 0 <= amount <= PIECES_MAX:
        raise SupplyRefused(field=field)
    return amount


def limit(value: object, field: str = "limit_per_viewer") -> int:
    amount = _whole(0 if value is None else value)
    if amount is None or not 0 <= amount <= LIMIT_PER_VIEWER_MAX:
        raise ProductRefused(f"{field} is a whole number from 0 (no limit) to {LIMIT_PER_VIEWER_MAX}.", field=field)
    return amount


def _check_fields(raw: dict[str, Any], *names: str) -> None:
    for name in raw:
        if name not in names:
            raise OptionsRefused(f"There is no field {name[:40]!r} in options.", field=f"options.{name[:40]}")


def _short_names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise OptionsRefused("The short names of a value are a list.", field="options")
    if len(value) > SHORT_NAMES_MAX:
        raise OptionsRefused(f"A value has at most {SHORT_NAMES_MAX} short names.", field="options")
    return tuple(_text(entry, "options", VALUE_LENGTH_MAX, empty=False) for entry in value)


def _values(value: object) -> list[OptionValue]:
    """Values in any of the three forms people write: names, name → short names, or {"value", "short"}.

    A value without a word of short names gets those that can be derived; an empty list wants none.
    """
    if isinstance(value, dict):
        pairs: list[tuple[object, object]] = list(value.items())
    elif isinstance(value, list | tuple):
        for entry in value:
            if isinstance(entry, dict):
                _check_fields(entry, "value", "short")
        pairs = [
            (entry.get("value"), entry.get("short")) if isinstance(entry, dict) else (entry, None) for entry in value
        ]
    else:
        raise OptionsRefused("The values of an axis are a list or a map.", field="options")
    found: list[OptionValue] = []
    for name, short in pairs[: VALUES_MAX + 1]:
        text = unicodedata.normalize("NFC", name.strip()) if isinstance(name, str) else ""
        if not _VALUE.fullmatch(text) or not shows_something(text):
            raise OptionsRefused("A value has 1 to 40 characters in one line.", field="options")
        found.append(OptionValue(text, _UNSAID if short is None else _short_names(short)))
    return found


def _named(options: Sequence[Option]) -> tuple[Option, ...]:
    """The options with derived short names in the place of those that nobody spoke of."""
    values = [value.value for option in options for value in option.values]
    given = [
        name for option in options for value in option.values if value.short is not _UNSAID for name in value.short
    ]
    shorts = derived(values, given)

    def named(value: OptionValue) -> OptionValue:
        if value.short is not _UNSAID:
            return value
        return OptionValue(value.value, (shorts[value.value],) if value.value in shorts else ())

    return tuple(Option(option.axis, tuple(map(named, option.values))) for option in options)


def _options(value: object) -> tuple[Option, ...]:
    if not isinstance(value, list | tuple):
        raise OptionsRefused("options is a list of axes.", field="options")
    if len(value) > AXES_MAX:
        raise OptionsRefused(f"options has {len(value)} axes; at most {AXES_MAX}.", field="options")
    options: list[Option] = []
    for axis in value:
        if not isinstance(axis, dict):
            raise OptionsRefused('An axis is {"axis": name, "values": …}.', field="options")
        _check_fields(axis, "axis", "values")
        name = _text(axis.get("axis"), "axis", VALUE_LENGTH_MAX, empty=False)
        values = _values(axis.get("values"))
        if not 1 <= len(values) <= VALUES_MAX:
            raise OptionsRefused(f"Axis {name} needs 1 to {VALUES_MAX} values.", field="options")
        if len({fold_code(entry.value) for entry in values}) != len(values):
            raise OptionsRefused(f"Axis {name} names a value twice.", field="options")
        options.append(Option(name, tuple(values)))
    if len({fold_code(option.axis) for option in options}) != len(options):
        raise OptionsRefused("An axis is named twice.", field="options")
    return _named(options)


def _check_skus(product: Product) -> None:
    count = prod(len(option.values) for option in product.options)
    if count > SKUS_MAX:
        raise OptionsRefused(f"{count} combinations of options; at most {SKUS_MAX}.", field="options")
    longest = max(product.skus(), key=len)
    if not all(sku.isprintable() for sku in product.skus()):
        raise OptionsRefused("Code and values have printable characters only.", field="options")
    if len(longest) > ITEM_LENGTH_MAX:
        raise OptionsRefused(
            f"{longest} has {len(longest)} characters; code and values together have at most {ITEM_LENGTH_MAX}.",
            field="options",
        )


KNOWN_FIELDS = frozenset(field.name for field in msgspec.structs.fields(Product)) | {"name", "supply", "skus", "closed"}


def product_of(raw: dict[str, Any], *, currency: str) -> Product:
    """A checked product from what a person sent. `currency` stands where none is given, and must be the shop's.

    Raises:
        ProductRefused, CodeRefused, PriceRefused, OptionsRefused: `details["field"]` names the field.
    """
    unknown = sorted(set(raw) - KNOWN_FIELDS)
    if unknown:
        raise ProductRefused(f"A product has no field {unknown[0][:40]}.", field=unknown[0][:40])
    given = raw.get("currency") or currency
    if not isinstance(given, str) or not _CURRENCY.fullmatch(given) or given != currency:
        raise ProductRefused(f"The currency of this shop is {currency}.", field="currency")
    picture = _text(raw.get("picture") or "", "picture", PICTURE_LENGTH_MAX)
    if picture and not _PICTURE.fullmatch(picture):
        raise ProductRefused("picture is a path that starts with / or an https:// address.", field="picture")
    compare_at = raw.get("compare_at_minor")
    product = Product(
        code=_code(raw.get("code")),
        names=_names(raw.get("names"), raw.get("name")),
        price_minor=price(raw.get("price_minor")),
        currency=given,
        name_en=_text(raw.get("name_en") or "", "name_en", NAME_LENGTH_MAX),
        options=_options(raw.get("options") or []),
        compare_at_minor=price(compare_at, "compare_at_minor") if compare_at else None,
        picture=picture,
        description=_text(raw.get("description") or "", "description", DESCRIPTION_LENGTH_MAX),
        limit_per_viewer=limit(raw.get("limit_per_viewer")),
    )
    _check_skus(product)
    return product


def supply_of(product: Product, raw: object) -> dict[str, int]:
    """Pieces per sku. `raw` maps skus to pieces, or is one number for every sku.

    Raises:
        SupplyRefused: names the sku.
    """
    skus = product.skus()
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        each = pieces(raw, "supply")
        return dict.fromkeys(skus, each)
    known = set(skus)
    supply: dict[str, int] = {}
    for sku, amount in raw.items():
        if sku not in known:
            raise SupplyRefused(f"{str(sku)[:ITEM_LENGTH_MAX]} is no sku of {product.code}.", field="supply")
        supply[sku] = pieces(amount, f"supply.{sku}")
    return supply


def as_public(product: Product) -> dict[str, Any]:
    """The wire shape of `GET /api/products`."""
    return {
        "code": product.code,
        "name": product.name,
        "name_en": product.name_en,
        "names": list(product.names),
        "options": [
            {
                "axis": option.axis,
                "values": [{"value": value.value, "short": list(value.short)} for value in option.values],
            }
            for option in product.options
        ],
        "price_minor": product.price_minor,
        "compare_at_minor": product.compare_at_minor,
        "currency": product.currency,
        "picture": product.picture,
        "description": product.description,
        "limit_per_viewer": product.limit_per_viewer,
        "skus": product.skus(),
    }

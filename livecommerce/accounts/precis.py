"""Logins and passwords as they are compared, however a keyboard composed them (PRECIS, RFC 8264 and 8265).

A phone types `é` as one character or as two, a Chinese keyboard `Ａ` for `A`: all of these are the same password.
"""

from __future__ import annotations

import unicodedata

from precis_i18n import get_profile

_LOGIN = get_profile("UsernameCaseMapped")
_PASSWORD = get_profile("OpaqueString")


def prepared_login(login: str) -> str | None:
    """RFC 8265 section 3.3; None for what can be no login."""
    try:
        return str(_LOGIN.enforce(login.strip()))
    except UnicodeError:
        return None


def prepared_password(password: str) -> str | None:
    """RFC 8265 section 4.2, and full width as plain: PRECIS leaves that to us, and no person sees the difference in a
    field of dots. None for what can be no password."""
    try:
        return str(_PASSWORD.enforce("".join(map(_plain_width, password))))
    except UnicodeError:
        return None


def _plain_width(sign: str) -> str:
    is_wide = unicodedata.decomposition(sign).startswith(("<wide>", "<narrow>"))
    return unicodedata.normalize("NFKC", sign) if is_wide else sign

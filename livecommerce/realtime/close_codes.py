"""Why the server closes a socket: `bye` carries number, code, reason and whether to come back; the WebSocket close
frame carries the number as its code (RFC 6455 section 7.4.2: 4000-4999 are for applications)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class CloseCode(Struct, frozen=True):
    number: int
    code: str
    reason: str
    reconnect: bool

    def as_dict(self) -> dict[str, Any]:
        return {"number": self.number, "code": self.code, "reason": self.reason, "reconnect": self.reconnect}


SLOW = CloseCode(4001, "slow", "Your connection could not keep up. You continue where you were.", True)
MOVING = CloseCode(4002, "moving", "The server restarts. You are moved to another one.", True)
ELSEWHERE = CloseCode(4004, "elsewhere", "The show is open in too many windows. This one was closed.", False)
TOO_FAST = CloseCode(4005, "too_fast", "Too many messages in a short time. Wait before you come back.", True)
BAD_PACKET = CloseCode(4006, "bad_packet", "A packet was not valid Socket.IO. Reload the page.", False)
NOT_JOINED = CloseCode(4007, "not_joined", "No show was joined in time.", True)
SILENT = CloseCode(4008, "silent", "No sign of life for too long.", True)
LOGIN_ENDED = CloseCode(4009, "login_needed", "Your login has ended. Log in again.", False)
TOO_LARGE = CloseCode(1009, "too_large", "A message was larger than allowed.", True)

ALL = (SLOW, MOVING, ELSEWHERE, TOO_FAST, BAD_PACKET, NOT_JOINED, SILENT, LOGIN_ENDED, TOO_LARGE)

"""What `_sending.c` offers; its docstrings say more."""

from typing import final

# (number, timestamp, is_marked, is_padded, send_time, body)
PacketFields = tuple[int, int, bool, bool, int, bytes]
# (position among the outlets, errno, segment bytes, datagrams in one piece)
Failure = tuple[int, int, int, bytes]

@final
class Key:
    def __new__(cls, key: bytes, salt: bytes, /) -> Key: ...
    def seal(self, header: bytes, payload: bytes, ssrc: int, index: int, /) -> bytes: ...

@final
class Tally:
    packets: int
    octets: int

@final
class Outlet:
    def __new__(
        cls,
        key: Key,
        tally: Tally,
        host: str,
        port: int,
        scope: int,
        ssrc: int,
        payload_type: int,
        phase: int,
        shift: int,
        time_shift: int,
        send_time_id: int,
        rider: Outlet | None,
        /,
    ) -> Outlet: ...

def use(sealer: str, /) -> None: ...
def send(
    descriptor: int,
    outlets: list[Outlet],
    packets: list[PacketFields],
    guest: PacketFields | None,
    is_segmented: bool,
    /,
) -> tuple[int, int, int, int, int, list[Failure]]: ...

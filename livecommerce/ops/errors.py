"""Refusals of this room: starting and storing."""

from __future__ import annotations

from livecommerce.errors import Unavailable

BLOCK = range(100, 120)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({6010, 6011, 6012, 6013, 6014, 6015, 6016})  # given before rooms had blocks; numbers are for good


class PortInUse(Unavailable):
    number, code = 6010, "port_in_use"
    reason = "A port that the server needs is in use by another program."


class AlreadyRunning(Unavailable):
    number, code = 6011, "already_running"
    reason = "A server is already running on this data folder."


class DataFolderUnusable(Unavailable):
    number, code = 6012, "data_folder_unusable"
    reason = "The data folder cannot be written."


class StartFailed(Unavailable):
    number, code = 6013, "start_failed"
    reason = "A part of the server did not start. The log above says why."


class StoreUnsuitable(Unavailable):
    number, code = 6014, "store_unsuitable"
    reason = "The Valkey/Redis server is too old or set up so that it could lose or evict stock."


class StoresApart(Unavailable):
    number, code = 6015, "stores_apart"
    reason = "The database and Valkey/Redis do not belong together: one of them is empty or older."


class BackupRefused(Unavailable):
    number, code = 6016, "backup_refused"
    reason = "The backup cannot be made or restored."

"""What viewers may do beside comments and claims, as the kinds of a show declare it: limited and moderated alike.

Decided on this process's mirror, which may be a tick old, and written at once: what a crowd does in one moment neither
waits for the others nor makes the commands of staff decide again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from livecommerce.errors import IdReused
from livecommerce.realtime.channel import Channel
from livecommerce.realtime.comment_path import CommentPath
from livecommerce.realtime.limits import checked_text
from livecommerce.realtime.viewer import Viewer
from livecommerce.shows.commands import Speaker, ViewerCommand
from livecommerce.shows.moderation import Ruling, rule
from livecommerce.shows.packing import unpack
from livecommerce.shows.store import ShowStore


class ViewerCommands:
    """Stateless; one per process. `length_max` is that of a comment."""

    def __init__(self, store: ShowStore, path: CommentPath, length_max: int) -> None:
        self._store = store
        self._path = path
        self._length_max = length_max

    async def execute(self, channel: Channel, viewer: Viewer, raw: dict[str, Any]) -> dict[str, Any]:
        """Does the command once and returns its outcome; the same id again returns the same outcome.

        Raises:
            LiveCommerceError: refused with a number; nothing was changed.
        """
        command = self._store.kinds.read_viewer_command(raw)
        if raw.get("again"):
            known = await self._store.recall(channel.show, command.id, viewer.viewer)
            if known is not None:
                return outcome_of(unpack(known), viewer)
        else:
            self._path.may_act(channel, viewer, command.id, speaks=bool(command.spoken))
        command, ruling = self._moderated(channel, viewer, command)
        speaker, now = Speaker(viewer.viewer, viewer.name, ruling.place), self._store.now_ms()
        decision = self._store.kinds.decide_for_viewer(channel.state, command, speaker, now)
        for event in decision.events[:1]:  # from it every process counts what this viewer does
            event |= {"command": command.id, "viewer": viewer.viewer, "at": now}
        decision.outcome = {**decision.outcome, "viewer": viewer.viewer}
        keys = await self._store.keys_of(channel.show)
        outcome = await self._store.commit(keys, command.id, "", decision, None)
        assert outcome is not None, "without a version there is no conflict"
        return outcome_of(outcome, viewer)

    def _moderated(self, channel: Channel, viewer: Viewer, command: ViewerCommand) -> tuple[ViewerCommand, Ruling]:
        if not command.spoken:
            return command, Ruling()
        text = checked_text(getattr(command, command.spoken), self._length_max)
        ruling = rule(channel.state, channel.words, viewer.viewer, text, is_order=False)
        if ruling.refuse is not None:
            raise ruling.refuse
        channel.note_chat(viewer.viewer, self._store.now_ms())
        return msgspec.structs.replace(command, **{command.spoken: text}), ruling


def outcome_of(kept: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
    """
    Raises:
        IdReused: the id belongs to what somebody else did.
    """
    if kept.get("viewer") != viewer.viewer:
        raise IdReused()
    return {key: value for key, value in kept.items() if key != "viewer"}

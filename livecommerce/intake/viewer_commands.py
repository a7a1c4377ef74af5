"""What viewers may do beside comments and claims, as the kinds of a show declare it: limited and moderated alike.

Decided on this process's mirror, which may be a tick old, and written at once: what a crowd does in one moment neither
waits for the others nor makes the commands of staff decide again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from livecommerce.errors import IdReused
from livecommerce.intake.comment_path import CommentPath
from livecommerce.intake.mirror import Mirror
from livecommerce.intake.speech import Payload, Speaker, is_again
from livecommerce.intake.text import checked_text
from livecommerce.shows import commands
from livecommerce.shows.commands import FINGERPRINT, ViewerCommand, fingerprint, first_answer
from livecommerce.shows.moderation import Ruling, Words, held_newcomer, rule
from livecommerce.shows.packing import unpack
from livecommerce.shows.store import ShowStore


class ViewerCommands:
    """Stateless; one per process. `length_max` is that of a comment."""

    def __init__(self, store: ShowStore, path: CommentPath, length_max: int) -> None:
        self._store = store
        self._path = path
        self._length_max = length_max

    async def execute(
        self, show: str, mirror: Mirror, speaker: Speaker, raw: Payload, network: str = ""
    ) -> dict[str, Any]:
        """Does the command once and returns its outcome; the same id again returns the same outcome. `network`: as of
        an `Act`.

        Raises:
            LiveCommerceError: refused with a number; nothing was changed.
        """
        again = is_again(raw)
        command = self._store.kinds.read_viewer_command({key: raw[key] for key in raw if key != "again"})
        sent = command
        mirror.authors.own(command.id, speaker.viewer)
        if again:
            known = await self._store.recall(show, command.id, speaker.viewer)
            if known is not None:
                return outcome_of(unpack(known), speaker.viewer, sent)
        self._path.may_act(mirror, speaker.viewer, command.id, speaks=bool(command.spoken))
        shy = held_newcomer(mirror.state, speaker.viewer, network, self._store.now_ms())
        command, ruling = self._moderated(mirror, speaker.viewer, command, held=shy)
        name = mirror.public_name(speaker.viewer, speaker.name, shy=shy)
        who, now = commands.Speaker(speaker.viewer, name, ruling.place), self._store.now_ms()
        decision = self._store.kinds.decide_for_viewer(mirror.state, command, who, now)
        for event in decision.events[:1]:  # from it every process counts what this viewer does
            event |= {"command": command.id, "viewer": speaker.viewer, "at": now}
        decision.outcome = {**decision.outcome, "viewer": speaker.viewer, FINGERPRINT: fingerprint(sent)}
        keys = await self._store.keys_of(show)
        outcome = await self._store.commit(keys, command.id, "", decision, None)
        assert outcome is not None, "without a version there is no conflict"
        return outcome_of(outcome, speaker.viewer, sent)

    def _moderated(
        self, mirror: Mirror, viewer: str, command: ViewerCommand, *, held: bool
    ) -> tuple[ViewerCommand, Ruling]:
        if not command.spoken:
            return command, Ruling()
        text = checked_text(getattr(command, command.spoken), self._length_max)
        ruling = rule(mirror.state, mirror.words, viewer, Words(text, held=held))
        if ruling.refuse is not None:
            raise ruling.refuse
        mirror.note_chat(viewer, self._store.now_ms())
        return msgspec.structs.replace(command, **{command.spoken: text}), ruling


def outcome_of(kept: dict[str, Any], viewer: str, command: ViewerCommand) -> dict[str, Any]:
    """
    Raises:
        IdReused: the id belongs to what somebody else did, or to another command.
    """
    if kept.get("viewer") != viewer:
        raise IdReused()
    return first_answer({key: value for key, value in kept.items() if key != "viewer"}, command)

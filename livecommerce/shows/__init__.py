"""What is live now: show state, staff commands, event log, pins, chat and moderation.

In: `ShowSetup` and commands of staff, chat lines of viewers. Out: outcomes, and events in the show's log.
A state change and its events are one Lua call; the log is the truth that every web process reads.
`kinds/`, `registry`, `state`, `projection` and `moderation` are pure: no await, no clock, no Redis.
It may not touch quantities (that is stock's) or sockets (realtime's). In SQL are only set-ups and a copy of the words:
what is live is never read from there.
"""

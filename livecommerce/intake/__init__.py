"""Intake: what a speaker says or presses, through whichever door it came, to an answer with a reason code.

In: a `Speech` (or a press of the button, or a ticket given back) and the mirror of the show in which it was said.
Out: a typed answer; the line in the show's log; reservations and changes, in one stock call with that line.
It knows no socket: `realtime` stands above it, and so does whatever brings comments in from elsewhere.
It may not change a quantity or a show's state but through stock and shows, and it keeps nothing but the mirror.
"""

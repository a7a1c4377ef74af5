"""What the web role and other relays use of the media room: which relay has a show, and its control door.

It never opens a socket of media: everything goes by HTTP to the relay's door, everything refused is a numbered error.
"""

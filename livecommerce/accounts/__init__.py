"""Accounts: who is asking. Staff with roles, viewers without accounts, encoders with tokens.

In: requests, passwords, cookies, bearer tokens. Out: an `Identity`, or a numbered refusal.
Keeps staff and token hashes in SQL, sessions and rate limits in Valkey; viewers are only a signed cookie.
It may not: decide what a role may do in a show (shows does), or log any secret.
Same answer, same time for an unknown login and a wrong password.
"""

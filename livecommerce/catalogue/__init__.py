"""Catalogue: the products a shop can put into a show, before any show exists.

In: products as people type them (JSON or CSV). Out: `Product` values that are safe for shows, stock and the parser.
Every sku, code and price is checked here, each refusal with its number and the field it is about.
It may not: hold quantities (stock does), know what is live (shows does), or read comments itself: what a comment
could be misread as is asked of the comments room.
"""

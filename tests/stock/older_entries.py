"""A ledger entry and a show log entry as they were written before templates had `product_limits`.

Three viewers claim a red scarf each (a run), then a blue one each, of which there are two: the third waits.
"""

from __future__ import annotations

from base64 import b64decode

LEDGER = {
    b"b": b64decode(
        "lgLPAAABohvKvuzZrZLaAFLcABGncmVzZXJ2ZaFzp2NvbW1lbnSkmgyzHaCgAKADwgDDAAAAAJSnQTAxL+e0hQGmQmeeErMAupWn"
        "QTAxL+e0hWSjVFdEo+e0hadjb21tZW502gBU3AARp3Jlc2VydmWhc6djb21tZW50pJk1biGgoACgzQOEwgDDAAAAAJSnQTAxL+iX"
        "jQGmnKu8lTdoupWnQTAxL+iXjWSjVFdEo+iXjadjb21tZW502XSTlAEDAgOWq29sZC1vcC0wMDAwq29sZC1vcC0wMDAxq29sZC1v"
        "cC0wMDAyqW9sZC1vcHgtMKlvbGQtb3B4LTGpb2xkLW9weC0ylqZvbGQtdjCmb2xkLXYxpm9sZC12MqZvbGQtdjCmb2xkLXYxpm9s"
        "ZC12MpUBAwEEAZqfoWOhc6ZvbGQtdjCpb2xkLW9weC0wp0EwMS/ol40BppyrvJU3aAEBAADPAAABohvYeozNA4SncmVzZXJ2Zalv"
        "bGQtb3B4LTCXoW+hc6ZvbGQtdjCpb2xkLW9weC0wpJk1biHZJwHsvsobogEBAQEAAAABAAAAAAAAAIx62BuiAQEAAAAHQTAxL+iX"
        "jQCfoWOhc6ZvbGQtdjGpb2xkLW9weC0xp0EwMS/ol40CppyrvJU3aAEBAADPAAABohvYeozNA4SncmVzZXJ2ZalvbGQtb3B4LTGX"
        "oW+hc6ZvbGQtdjGpb2xkLW9weC0xpJk1biHZJwHsvsobogEBAQIAAAABAAAAAAAAAIx62BuiAQAAAAAHQTAxL+iXjQCfoWOhc6Zv"
        "bGQtdjKpb2xkLW9weC0yp0EwMS/ol40DppyrvJU3aAIAAQAAzQOEp3Jlc2VydmWpb2xkLW9weC0yl6FvoXOmb2xkLXYyqW9sZC1v"
        "cHgtMqSZNW4h2ScD7L7KG6IBAQMDAAAAAAABAAEAAAAAAAAAAAAAAAAAB0EwMS/ol40Ak6FmppyrvJU3aLqVp0EwMS/ol41ko1RX"
        "RKPol42nY29tbWVudJOhZqZCZ54SswC6ladBMDEv57SFZKNUV0Sj57SFp2NvbW1lbnSToWmnQTAxL+e0hb0CAAAAAwAAAAAAAAAA"
        "AAAABQAAAAQAAAAAAAAAAJOhaadBMDEv6JeNvQAAAAACAAAAAAAAAAEAAAACAAAABAAAAAEAAAAA"
    )
}
SHOW_LOG = {
    b"e": b64decode(
        "kYShdKZjbGFpbXOiYXTPAAABohvKvuymY2xhaW1zlJQBAwEB3gARpm51bWJlcgGrcmVzZXJ2YXRpb26pQTAxL+iXjSMxpnNvdXJj"
        "Zadjb21tZW50pXByaWNlZKZ2aWV3ZXKmb2xkLXYwom9wp3Jlc2VydmWkaXRlbadBMDEv6JeNqGRlYWRsaW5lzwAAAaIb2HqMqHJl"
        "c2VydmVkAad3YWl0aW5nAKJpZKlvbGQtb3B4LTCkdGV4dKPol42lc3RhdGWkaGVsZKhxdWFudGl0eQGocG9zaXRpb24AqGN1cnJl"
        "bmN5o1RXRKdvdXRjb21lqHJlc2VydmVk3gARpm51bWJlcgKrcmVzZXJ2YXRpb26pQTAxL+iXjSMypnNvdXJjZadjb21tZW50pXBy"
        "aWNlZKZ2aWV3ZXKmb2xkLXYxom9wp3Jlc2VydmWkaXRlbadBMDEv6JeNqGRlYWRsaW5lzwAAAaIb2HqMqHJlc2VydmVkAad3YWl0"
        "aW5nAKJpZKlvbGQtb3B4LTGkdGV4dKPol42lc3RhdGWkaGVsZKhxdWFudGl0eQGocG9zaXRpb24AqGN1cnJlbmN5o1RXRKdvdXRj"
        "b21lqHJlc2VydmVk3gARpm51bWJlcgOrcmVzZXJ2YXRpb26pQTAxL+iXjSMzpnNvdXJjZadjb21tZW50pXByaWNlZKZ2aWV3ZXKm"
        "b2xkLXYyom9wp3Jlc2VydmWkaXRlbadBMDEv6JeNqGRlYWRsaW5lAKhyZXNlcnZlZACnd2FpdGluZwGiaWSpb2xkLW9weC0ypHRl"
        "eHSj6JeNpXN0YXRlp3dhaXRpbmeocXVhbnRpdHkBqHBvc2l0aW9uAahjdXJyZW5jeaNUV0Snb3V0Y29tZad3YWl0aW5npXN0b2Nr"
        "gqdBMDEv57SFlQIDAAAFp0EwMS/ol42VAAIAAQI="
    ),
    b"t": b64decode(
        "ktoAUtwAEadyZXNlcnZloXOnY29tbWVudKSaDLMdoKAAoAPCAMMAAAAAlKdBMDEv57SFAaZCZ54SswC6ladBMDEv57SFZKNUV0Sj"
        "57SFp2NvbW1lbnTaAFTcABGncmVzZXJ2ZaFzp2NvbW1lbnSkmTVuIaCgAKDNA4TCAMMAAAAAlKdBMDEv6JeNAaacq7yVN2i6ladB"
        "MDEv6JeNZKNUV0Sj6JeNp2NvbW1lbnQ="
    ),
    b"o": b64decode(
        "k5QBAwIDlqtvbGQtb3AtMDAwMKtvbGQtb3AtMDAwMatvbGQtb3AtMDAwMqlvbGQtb3B4LTCpb2xkLW9weC0xqW9sZC1vcHgtMpam"
        "b2xkLXYwpm9sZC12MaZvbGQtdjKmb2xkLXYwpm9sZC12MaZvbGQtdjI="
    ),
}

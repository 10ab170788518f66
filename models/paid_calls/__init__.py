"""Paid HTTP calls, whatever they buy: chat replies (models/frontier) and pictures (models/image_generators) go through here.

buying.py is the engine: claim, keep alive, send, back off, record or count as lost. The journal keeps every reply and claim
(ledger.py: what its transactions do); prices, keys, connections, failures, rate limits and concurrency each have a file.
"""

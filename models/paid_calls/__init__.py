"""Paid HTTP calls: the journal of replies, claims, prices, keys, connections, failures, rate limits, concurrency."""

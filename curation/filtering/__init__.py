"""What filters share: their contract, similarity of pictures and questions, settings, bulk limits, rules for proposals.

Verdicts store scores and reasons; whether a sample passes follows from a filter's current setting.
"""

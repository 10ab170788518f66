"""Experiments: arms that differ only in what they are trained on (equal N, steps, replay, seeds), and how sure their differences are."""

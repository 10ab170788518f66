"""What frontier calls cost: spend so far, the filters' cost ahead of a launch, the price table as people edit it.

What has no price is None, never a guess.
"""

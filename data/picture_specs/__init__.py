"""Specs of pictures that are rendered, not drawn: charts, tables, documents, diagrams whose text and numbers are exact.

`spec.py` is the noun: a kind, a table of data and, for charts, the marks in Vega-Lite. `safety.py` says what a spec may hold.
`computed.py` works an answer out from the table, so that the answer that was proposed can be held against it.
models/rendering turns a spec into a picture.
"""

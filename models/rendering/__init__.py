"""Pictures from specs (data/picture_specs), exact in every text and number: no model draws them.

`layouts.py` lays tables, documents and diagrams out as Vega-Lite, `style.py` gives each seed a look, `process.py` renders in a child
process with limits, whose program is `child.py`. The plugin of the image generators is models/image_generators/rendered.py.
"""

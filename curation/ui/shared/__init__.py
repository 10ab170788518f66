"""What pages share: the elements and helpers of the browser, and in `figures.py` the theme of all charts."""

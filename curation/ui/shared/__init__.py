"""What pages share: the elements and helpers of the browser, and in `charts.py` the theme of all charts."""

"""Which training pictures steer (dev) instead of being mined: told by their names, the same on every machine and in every import."""

import hashlib

from data.records import Split


def mined_or_dev(picture_name: str, dev_share: float) -> Split:
    """The split of a training picture, from the hash of its name: all questions on a picture stay together."""
    share = int.from_bytes(hashlib.sha256(picture_name.encode(errors="surrogatepass")).digest()[:8], "big") / 2**64
    return "dev" if share < dev_share else "train"

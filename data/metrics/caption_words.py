"""The words of a caption, as the COCO evaluation cuts them: Stanford's PTB tokenizer in lower case, without punctuation.

The original is a Java program of 3.4.1. These rules give the same words on the captions of tests/data/metrics/golden; rarer things that it
knows (addresses, most abbreviations, other scripts' digits) are cut at spaces and punctuation.
"""

import re
from functools import lru_cache

_DROPPED = {"''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"}
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "--", "—": "--", "…": "..."})
_ABBREVIATIONS = (
    r"mr|mrs|ms|dr|st|jr|sr|vs|prof|gen|rep|sen|gov|col|capt|lt|sgt|ave|blvd|rd|mt|ft|inc|corp|co|ltd|bros|etc|dept|assn|est"
    r"|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec"
)
_CLITIC = r"'(?:s|m|d|re|ve|ll)\b"
_TOKEN = re.compile(
    rf"""
    (?:[a-z]\.){{2,}}                                   # u.s.  p.m.
  | (?:{_ABBREVIATIONS})\.(?=\s|$)                      # mr.  etc.
  | no\.(?=\s*\d)                                       # no. 5
  | \d+(?:[.,:/]\d+)+ | \d+/\d+                         # 3.5  1,000  10:30  1/2
  | '\d0s\b                                             # '90s
  | 'n'                                                 # rock 'n' roll
  | (?:can)(?=not\b) | not\b                            # cannot
  | gon(?=na\b) | wan(?=na\b) | got(?=ta\b) | lem(?=me\b) | gim(?=me\b)
  | o'clock\b
  | [^\W_]+(?=n't\b) | n't\b
  | {_CLITIC}
  | [^\W_]+(?:[-_/&][^\W_]+)*-?[^\W_]*?(?=n't\b|{_CLITIC})
  | [^\W_]+(?:[-_/&][^\W_]+)*
  | \.\.\. | -+ | \S
    """,
    re.VERBOSE,
)


@lru_cache(maxsize=20_000)  # the same golds come again and again
def caption_words(caption: str) -> tuple[str, ...]:
    """The words of a caption in lower case.

    >>> caption_words("A man's dog isn't here.")
    ('a', 'man', "'s", 'dog', 'is', "n't", 'here')
    """
    text = caption.translate(_QUOTES).lower()
    tokens = (_BRACKETS.get(token, token) for token in _TOKEN.findall(text))
    return tuple(token for token in tokens if token not in _DROPPED and not set(token) <= {"-", '"'})

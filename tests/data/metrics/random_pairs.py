"""Random answers and golds, seeded, on which a metric is held against the published harness (make_golden.py)."""

import random

COUNT = 3000
WORDS = (  # noqa: SIM905
    "red blue dark green dog dogs cat bus stop sign man's woman umbrella two three ten none zero a an the The A 3 12 1,000 3.5 50% yes no "
    "unanswerable coca-cola t-shirt U.S. 10:30 dont can't wont oclock o'clock it's somebody'd yall'd've isnt youre thats left right café "
    'Straße ἀρχή ΣΑΣ İstanbul ﬁsh １２ 红色 rouge Paris London 2019 -5 (left) [x] "stop" and/or e-mail www.x.com @home $5 £3 5kg'
).split()
MARKS = [*";/[]\"{}()=+\\_-><@`,?!.:'|~*&^%$#", "...", ". ", " .", "'s", "' ", "\n", "\t", "  ", "\u00a0", "\u200b", "\u2028", "\x1f"]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ßİıſŉǰΐΣςéñøČЖдا٣中的한ｆＢ"

# {0} and {1} are letters, {2} and {3} texts of choices; what the harnesses read is there more than once.
_OPTION_FORMS = """
{0}|{0}|{0}|{0}|{0}.|{0}. {2}|{0}. {2}|{0}. {2}|{0}) {2}|({0})|({0}).|:{0}|{0}, {2}|{0}: {2}|The answer is {0}.
|The answer is {0}.|The answer is {0}|{2}. The answer is {0}.|{2}. The answer is {0}
|The answer is {0}. Or: The answer is {1}.|The answer is {0}. The answer is {0}.|The answer is {0}. | {0}|{0}  |{0}nything
|the answer is {0}.|The answer is ({0}).|The answer is {0}; {2}|{0} or {1}|{0} {2}|A {2} is {0}|A {2} on a table|{2}|{2}.
|It is the {2}|{2} or {3}|I think {0} is right|{0}.{2}|{0}. The answer is {1}.||E|**{0}**|Option {0}
|Failed to obtain answer via API|Failed to obtain answer via API {2}
""".replace("\n", "").split("|")
_COLOURS = (  # noqa: SIM905
    "red blue green white black brown orange yellow gray wooden large small old young"
).split()
_THINGS = (  # noqa: SIM905
    "dog cat man woman boy girl bus train truck bench table plate pizza sandwich giraffe zebra elephant umbrella surfboard "
    "skateboard kite bear vase clock tower stop-sign t-shirt hot-dog man's-hat child people baseball player tennis racket"
).split()
_PLACES = ["on the beach", "in a field", "next to a table", "in front of a building", "at night", "near the water", "on top of a hill"]
_DOINGS = [
    "sitting",
    "standing",
    "riding a bike",
    "holding a phone",
    "eating",
    "looking at the camera",
    "that isn't moving",
    "who can't be seen",
]
_EXTRAS = """
|.| .|!|, and it's raining.|; the sign says "STOP".| (in black and white).| - a close-up| -- taken at 10:30 a.m.| at 5 p.m.
| with 2 men's shoes|, don't you think?| in the 1990s| of St. Louis| by Mr. Smith| 50% off| for $5| and/or a cat| in the U.S.
| the kids' toys| rock 'n' roll|: a view|...| [cropped]| cannot move| o'clock| & more| they're here| I'd say
""".replace("\n", "").split("|")


def text(rng: random.Random) -> str:
    """An answer: words, marks and letters in any order, sometimes empty, sometimes with many full stops in a row."""
    parts = []
    for _ in range(rng.randint(0, 6)):
        kind = rng.random()
        if kind < 0.6:
            parts.append(rng.choice(WORDS) + rng.choice([" ", " ", " ", ""]))
        elif kind < 0.85:
            parts.append(rng.choice(MARKS))
        elif kind < 0.87:
            parts.append("." * rng.randint(28, 70))
        else:
            parts.append("".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 6))))
    return "".join(parts)


def changed(rng: random.Random, answer: str) -> str:
    """The same answer in another case, with another mark or with a letter more or less."""
    kind = rng.randrange(7)
    at = rng.randint(0, len(answer))
    return [
        answer,
        answer.upper(),
        answer.lower(),
        answer + rng.choice(MARKS),
        rng.choice(MARKS) + answer,
        answer[:at] + answer[at + 1 :],
        answer[:at] + rng.choice(LETTERS) + answer[at:],
    ][kind]


def short_answer(rng: random.Random, golds: int) -> dict[str, object]:
    """A prediction with as many golds; often it is one of them, or nearly."""
    pool = [text(rng) for _ in range(rng.randint(1, 4))]
    answers = [changed(rng, rng.choice(pool)) for _ in range(golds)]
    return {"prediction": changed(rng, rng.choice(pool)) if rng.random() < 0.85 else text(rng), "golds": answers}


def number_answer(rng: random.Random) -> dict[str, object]:
    """A prediction and a gold, mostly numbers that lie near each other."""
    value = rng.choice([0.0, 1.0, rng.uniform(-100, 100), rng.randint(-9, 2050), rng.uniform(0, 1e6)])
    near = value * rng.choice([1, 1.05, 0.95, 1.04999, 1.0501, -1, rng.uniform(0.8, 1.2)])
    forms = ["{:g}", "{:.2f}", "{:g}%", "{:.1f} %", "{:,.0f}", " {:g}", "{:g}.", "{:e}", "${:g}", "{:g}%%", "{:_.0f}"]
    if rng.random() < 0.2:
        return short_answer(rng, 1)
    special = ["nan", "inf", "-Infinity", "１２", "", "%", "Yes", "yes"]
    pair = [rng.choice(special) if rng.random() < 0.08 else rng.choice(forms).format(number) for number in (near, value)]
    return {"prediction": pair[0], "golds": [pair[1]]}


def option_answer(rng: random.Random, most: int) -> dict[str, object]:
    """An answer to a question with 2 to `most` choices, in many forms, and the right letter."""
    choices = [" ".join(rng.choice(_COLOURS + _THINGS) for _ in range(rng.randint(1, 2))) for _ in range(rng.randint(2, most))]
    letter, other, choice = rng.choice("AABBBCCDEFab"), rng.choice("ABCDE"), rng.choice(choices)
    answer = rng.choice(_OPTION_FORMS).format(letter, other, choice, rng.choice(choices))
    right = "ABCDEFGH"[choices.index(choice)] if rng.random() < 0.5 else rng.choice("ABCDEFGH"[: len(choices)])
    if rng.random() < 0.7 and letter in "ABCDEFGH"[: len(choices)]:
        right = letter
    if rng.random() < 0.1:
        answer = changed(rng, answer)
    return {"prediction": answer, "golds": [right], "choices": choices}


def circular_answers(rng: random.Random) -> dict[str, object]:
    """Answers to all rotations of a question's choices, right in most."""
    asked = option_answer(rng, 4)
    choices = asked["choices"]
    assert isinstance(choices, list)
    right = rng.randrange(len(choices))
    forms = ["{0}", "{0}.", "({0})", "{0}. {1}", "The answer is {0}.", "{1}"]
    answers = []
    for i in range(len(choices)):
        at = (right - i) % len(choices)
        good = rng.choice(forms).format("ABCD"[at], choices[right])
        answers.append(good if rng.random() < 0.85 else str(option_answer(rng, 4)["prediction"]))
    return {"predictions": answers, "golds": ["ABCD"[right]], "choices": choices}


def caption(rng: random.Random) -> str:
    """A caption of COCO's kind, with the punctuation and contractions that people use."""
    start = rng.choice(["A", "An", "The", "Two", "Three", "Some", "There's a", "a"])
    words = f"{start} {rng.choice(_COLOURS)} {rng.choice(_THINGS)} {rng.choice(_DOINGS)} {rng.choice(_PLACES)}"
    if rng.random() < 0.3:
        words += f" with a {rng.choice(_THINGS)}"
    return words + (rng.choice(_EXTRAS) if rng.random() < 0.8 else "")


def captioned_image(rng: random.Random) -> dict[str, object]:
    """A caption and the one to five that people gave to the image; often it shares words with one of them."""
    golds = [caption(rng) for _ in range(rng.randint(1, 5))]
    prediction = rng.choice(golds).split() if rng.random() < 0.6 else caption(rng).split()
    for _ in range(rng.randint(0, 4)):
        prediction[rng.randrange(len(prediction))] = rng.choice(_THINGS)
    return {"prediction": " ".join(prediction) if rng.random() < 0.98 else "", "golds": golds}

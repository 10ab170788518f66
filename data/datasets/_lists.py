"""What the plain formats share (jsonl, json, csv, tsv, xlsx, and hub and webdataset): one example a row, with these fields.

id        unique within its split; the row's number if it is missing
image     path of the picture, relative to the list (or to the `images` folder); also its bytes or base64. Of several the first is used
question
answers   all gold answers, one an annotator: a text, a number, a list, or VQA's list of objects. With choices: letter, text or place from 0
choices   the options of a multiple-choice question, in their order; also one a column, A, B, C …
split     train (is mined), dev (steers), eval (is only measured), or the names in use for them; without it the file's name tells
kind      which skill the question needs, "error-type/detail", for example "counting/3"; may be missing
hint      what stands before the question

The columns are found by the names in use (_columns.py); the option `map` says otherwise.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from data.datasets._cells import FIRST_PICTURE, choices_of, embedded_choices, golds_of, is_none, picture_of
from data.datasets._columns import fields_of, guessed, mapping
from data.datasets._dev_split import mined_or_dev
from data.datasets._pictures import Pictures, white
from data.datasets._reading import (
    NO_ANSWERS,
    NO_PICTURE,
    WHITE,
    Item,
    LeftOut,
    SourceOptions,
    Unusable,
    benchmark,
    described,
    flawless,
    guarded,
    identifier,
    letter_at,
    letter_of,
    reading,
    text,
    unique,
)
from data.datasets._source import SPLIT_WORDS, Source, none_found, split_word
from data.datasets.scienceqa import with_hint
from data.json_text import BadFile
from data.metrics import measure
from data.records import BadLine, Dataset, SourceExample, Split

SPLITS = ("train", "dev", "eval")
TESTS = ("test", "testdev", "eval")
REMARKS = "__remarks__"  # a column that formats add: what of a row was passed over
OPEN = "an open question, without choices"
REQUEST = "Provide a one-sentence caption for the provided image."  # LLaVA's, for captions
MOST_SHAPES = 1000  # sets of columns whose mapping is remembered
Row = tuple[str, Any]  # file and line, fields by column (or Flawed)


class ListOptions(SourceOptions):
    path: Path = Field(description="The list of examples, or a folder with a list for each split.")
    images: Path | None = Field(default=None, description="Folder that the images' paths start from; empty means the list's own.")
    split: Split | None = Field(
        default=None, description="The split of the rows that name none; empty means as the file's name tells, else train."
    )
    map: dict[str, str] = Field(default_factory=dict, description="Which column is which field, as question=Q; empty means by their names.")
    dev_share: float | None = Field(
        default=None, ge=0, lt=1, description="Share of the training images that steer (dev) instead of being mined; empty means none."
    )
    limit: int | None = Field(default=None, ge=1, description="Rows to read of each file, at most; empty reads all.")
    question: str = Field(default="", description="What is asked of rows without a question; empty means a caption where they have one.")
    download: bool = Field(default=False, description="Fetch pictures that are named by a web address; without it these are refused.")


class ListFormat:
    """A format names its endings and reads the rows of a file; what a row means is told here. Options = ListOptions, or a class below."""

    format: ClassVar[str]
    endings: ClassVar[tuple[str, ...]]
    expected: ClassVar[str]
    has_header: ClassVar[bool] = False  # all rows of a file have the same columns
    looked_at: ClassVar[int] = 1000  # rows whose columns are a file's, where each may have its own
    from_zero: ClassVar[bool] = False  # rows without an id are numbered from 0 in their split, else by line

    def __init__(self, options: ListOptions) -> None:
        self.options = options
        self.source = Source(options.path)
        self.pictures = Pictures(options.images or self.source.root)
        self._mappings: dict[tuple[str, ...], dict[str, str]] = {}
        self._known: list[str] = []  # columns of the file that is read, where each row may have its own
        self.on_row: Callable[[str, Any], None] | None = None  # told each row as it stands in the file: a preview shows it

    def rows(self, path: Path) -> Iterator[Row]:
        """(file and line, fields by column) of a file's rows. Raises BadFile."""
        raise NotImplementedError

    def columns(self, path: Path) -> list[str]:
        """The columns of a file: those of its first rows. Raises BadFile."""
        rows = islice((row for _, row in self.rows(path) if isinstance(row, dict)), self.looked_at)
        return [name for name in dict.fromkeys(str(name) for row in rows for name in row) if name != REMARKS]

    def files(self) -> list[Path]:
        return list(self.source.ending(*self.endings)) if self.source.is_folder else [self.options.path]

    def about(self) -> Dataset:
        name = self.options.path.name if self.source.is_folder else self.options.path.stem
        return described(self.options, benchmark(name, name, self.format, "exact_match", str(self.options.path), ""))

    def read(self) -> Iterator[Item]:
        return unique(self._all())

    def _all(self) -> Iterator[tuple[str, Item]]:
        files = self.files()
        if not files:
            yield str(self.options.path), BadLine(str(self.options.path), str(none_found(self.source, "list", self.expected)))
        self._numbers: Counter[str] = Counter()
        self._has_test: bool | None = None
        for path in files:
            yield from self._of_file(path)

    def _of_file(self, path: Path) -> Iterator[tuple[str, Item]]:
        try:
            if self.has_header:
                self._check_header(self.columns(path))
            elif self.options.map:
                self._known = self.columns(path)
                mapping((), self.options.map, self._known)
        except (BadFile, Unusable) as error:
            yield f"{path}:1", BadLine(f"{path}:1", str(error))
            return
        number = 0
        for number, read in enumerate(reading(str(path), self.rows(path)), 1):
            if isinstance(read, BadLine):
                yield read.source, read
                continue
            if self.options.limit is not None and number > self.options.limit:
                return
            source, row = read
            if self.on_row:
                self.on_row(source, row)
            yield source, guarded(source, partial(self._example, row, path, source))
        if not number:
            yield str(path), BadLine(str(path), f"is empty, expected {self.expected} with a row for each example")

    def _check_header(self, columns: list[str]) -> None:
        """Raises Unusable where what every row needs is not among the columns of a table."""
        made = self.mapped(tuple(columns))
        needed = [] if self.options.keep_text_only else ["image"]
        needed += [] if self.options.question or _is_caption(made) else ["question"]
        if missing := [field for field in needed if field not in made]:
            raise Unusable(
                f"no column {' and '.join(missing)} among {', '.join(columns)[:400]}; expected a first line like "
                f"id,image,question,answer, or say which column it is by --map {missing[0]}=COLUMN"
            )

    def mapped(self, columns: tuple[str, ...]) -> dict[str, str]:
        """The column of each field among these. Raises Unusable."""
        if columns not in self._mappings:
            if len(self._mappings) > MOST_SHAPES:
                self._mappings.clear()
            self._mappings[columns] = mapping(columns, self.options.map, self._known)
        return self._mappings[columns]

    def list_columns(self, header: list[str]) -> set[str]:
        """The columns of a table whose cells may hold several answers or choices, with | between them."""
        try:
            made = mapping(header, self.options.map)
        except Unusable:
            made = guessed(header)
        return {made[field] for field in ("answers", "choices") if field in made}

    def _example(self, row: Any, path: Path, source: str) -> SourceExample:
        if not isinstance(flawless(row), dict):
            raise Unusable("expected an object with the fields image, question and answer; correct the line")
        columns = self.mapped(tuple(row))
        fields = fields_of(row, columns) | {"remarks": (*row.get(REMARKS, ()), *_further_pictures(row))}
        fields["captioned"] = _is_caption(columns)
        split = self._split(fields, path)
        number = self._numbers[split]
        self._numbers[split] += 1
        try:
            made = self.example(fields, split, str(number) if self.from_zero else line_of(source), number)
        except Unusable as error:
            raise Unusable(_with_columns(str(error), columns, row)) from error
        if split == "train" and self.options.dev_share:
            name = str(made.picture) if isinstance(made.picture, Path) else made.external_id
            made = replace(made, split=mined_or_dev(name, self.options.dev_share))
        return made

    def example(self, fields: dict[str, Any], split: Split, number: str, place: int) -> SourceExample:
        """The example of a row's fields; `number` is its id if it has none. Raises Unusable, LeftOut."""
        shown = picture_of(fields["image"], self.pictures, self.options.download) if "image" in fields else None
        question = fields.get("question", self.options.question or (REQUEST if fields.get("captioned") else None))
        fields = fields if question is None else fields | {"question": question}
        if shown is None and not self.options.keep_text_only:
            if "image" not in fields and not self.from_zero:
                text(fields, "image")
            raise LeftOut(NO_PICTURE)
        choices = choices_of(fields["choices"]) if fields.get("choices") else ()
        if not choices and self.from_zero and (inside := embedded_choices(fields.get("question"), fields.get("answers"))):
            fields, choices = fields | {"question": inside[0]}, inside[1]
        golds = self._golds(fields, choices, split)
        return SourceExample(
            external_id=identifier(fields, "id") if "id" in fields else number,
            split=split,
            question=with_hint(text(fields, "question"), fields.get("hint")),
            golds=golds,
            picture=shown.picture if shown else white(),
            choices=choices,
            kind=text(fields, "kind") if "kind" in fields else None,
            remarks=tuple(dict.fromkeys((*(shown.remarks if shown else (WHITE,)), *fields.get("remarks", ())))),
            position=place,
        )

    def _golds(self, fields: dict[str, Any], choices: tuple[str, ...], split: Split) -> tuple[str, ...]:
        golds = golds_of(fields.get("answers"))
        if not golds:
            if split == "eval":
                raise LeftOut(NO_ANSWERS)
            raise Unusable("field 'answer' is missing or empty, expected a text; fill it in")
        if not choices and not measure(self.about_once.metric).wants_choices:
            return golds
        if not choices and self.from_zero:
            raise LeftOut(OPEN)
        return tuple(gold_among(gold, choices, measure(self.about_once.metric).wants_choices) for gold in golds)

    @property
    def about_once(self) -> Dataset:
        if not hasattr(self, "_about"):
            self._about = self.about()
        return self._about

    def _split(self, fields: dict[str, Any], path: Path) -> Split:
        told = fields.get("split")
        if told is None:
            if self.options.split:
                return self.options.split
            word = self.source.official(path) if self.source.is_folder else split_word(path.name)
            return self._measured(word) if word else "train"
        if not isinstance(told, str) or (word := SPLIT_WORDS.get(told.strip().lower().replace("-", "").replace("_", ""))) is None:
            raise Unusable(
                f"split {str(told)[:80]!r} is unknown, expected one of {', '.join(SPLITS)} (or {', '.join(SPLIT_WORDS)}); "
                "correct it or leave it out"
            )
        return self._measured(word)

    def _measured(self, word: str) -> Split:
        """Our split for a name in use: test is measured, and val where there is no test."""
        if word in ("train", "dev"):
            return "train" if word == "train" else "dev"
        if word != "val":
            return "eval"
        if self._has_test is None:
            self._has_test = self._finds_test()
        return "dev" if self._has_test else "eval"

    def _finds_test(self) -> bool:
        """Whether any row with an answer is of a test split: by the files' names, else by looking through them."""
        for path in self.files():
            named = self.source.is_folder and self.source.official(path) in TESTS
            for _, row in self.rows(path):
                columns = self.mapped(tuple(row)) if isinstance(row, dict) else {}
                if not named and "split" not in columns:
                    break
                fields = fields_of(row, columns)
                if (named or str(fields.get("split")).lower().replace("-", "") in TESTS) and _has_answer(fields):
                    return True
                if named:
                    break
        return False


def _is_caption(columns: Mapping[str, str]) -> bool:
    return columns.get("answers", "").lower() in ("caption", "captions", "txt", "text")


def _with_columns(error: str, columns: Mapping[str, str], row: Mapping[str, Any]) -> str:
    """What is wrong with a field, with the column that it was read from; where it has none, with the columns there are."""
    found = re.match(r"field '(\w+)'", error)
    if not found:
        return error
    field = "answers" if found[1] == "answer" else found[1]
    if field not in columns:
        there = ", ".join(name for name in map(str, row) if name != REMARKS)[:200]
        return f"{error}. No column is {field} by its name (there are: {there}): say which by --map {field}=COLUMN"
    own = columns[field].lower() in (found[1], field)
    return error if own else f"field {found[1]!r} (column {columns[field][:80]!r}){error[found.end() :]}"


def _has_answer(fields: dict[str, Any]) -> bool:
    try:
        return bool(golds_of(fields.get("answers")))
    except (Unusable, LeftOut):
        return False


def _further_pictures(row: dict[str, Any]) -> tuple[str, ...]:
    """The remark of a row with its pictures in columns image_1, image_2, …"""
    return (FIRST_PICTURE,) if any(re.fullmatch("image_[2-9]", name) and not is_none(value) for name, value in row.items()) else ()


def line_of(source: str) -> str:
    """The number at the end of a source: its line.

    >>> line_of("a/set.jsonl:7"), line_of("set.json:1, item 3")
    ('7', '3')
    """
    return source.rpartition(":")[2].rpartition(" ")[2]


def gold_among(gold: str, choices: tuple[str, ...], letters: bool) -> str:
    """A gold answer of a question with choices: its letter, or where the metric compares texts, letter or text as it was given.

    A number that is no choice's text is a place, from 0. Raises Unusable on an answer that is none of the choices.
    """
    if gold not in choices and gold.isdecimal() and len(gold) < 3:
        letter = letter_at(int(gold), choices)
        return letter if letters else choices[int(gold)]
    letter = letter_of(gold, choices)
    return letter if letters else gold

"""How the items of a file find their examples: by id, by number in a split, or by question and picture. One way a file, chosen by what all
its items say; nothing is joined by a guess."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from curation.imports.example_evidence import contradiction, gold_difference, plain
from curation.imports.harness_items import Item
from curation.imports.known_examples import KnownExample, identifier
from curation.imports.prediction_file import BadPredictions, NotUsed
from data.datasets._source import SPLIT_WORDS
from data.images import BadImage, ImageStore
from data.records import Split

How = Literal["auto", "id", "number", "question"]
Items = Callable[[], Iterator[tuple[str, Item]]]  # (file and line, item) of a file, from its beginning each time
TOLERATED = 0.05  # share of the items that may contradict: a dataset is corrected now and then; beyond, it is another one
SHOWN = 3  # items named where they don't fit
_SPLITS = ("train", "dev", "eval")


@dataclass
class Fit:
    """How well items fit their examples."""

    items: int = 0
    compared: int = 0
    flaws: list[str] = field(default_factory=list)  # the first few
    wrong: int = 0

    def note(self, source: str, told: str | None) -> None:
        """`told`: what speaks against the item, "" if nothing does, None if it states nothing."""
        self.items += 1
        self.compared += told is not None
        if told:
            self.wrong += 1
            if len(self.flaws) < SHOWN:
                self.flaws.append(f"{source.rpartition('/')[2]}: {told}")

    @property
    def good(self) -> bool:
        return self.wrong <= TOLERATED * self.compared

    @property
    def proven(self) -> bool:
        return self.good and self.compared > 0


class Join:
    """A way to find examples; `words` says which, and why."""

    words = ""

    def find(self, item: Item) -> KnownExample:
        """Raises NotUsed."""
        raise NotImplementedError


class Examples:
    """A dataset's examples by what items name them by. `split`: where items without one belong."""

    def __init__(self, examples: Sequence[KnownExample], split: Split | None, pictures: Sequence[Path] = ()) -> None:
        self.all, self.split, self.pictures = examples, split, pictures
        self._by_id: dict[str, list[KnownExample]] = {}
        for example in examples:
            self._by_id.setdefault(example.external_id, []).append(example)

    @cached_property
    def by_place(self) -> dict[str, dict[int, KnownExample]]:
        """Examples by split and place."""
        places: dict[str, dict[int, KnownExample]] = {}
        for example in self.all:
            if example.position is not None:
                places.setdefault(example.split, {})[example.position] = example
        return places

    @cached_property
    def _asking(self) -> Counter[tuple[str, str]]:
        """How many examples of a split ask a question."""
        return Counter((example.split, plain(example.question)) for example in self.all)

    def contradiction(self, item: Item, example: KnownExample, surely_id: bool = False) -> str | None:
        """As `contradiction`. A question that several examples ask tells nothing of a place: there the gold answer must be theirs, too."""
        told = contradiction(item, example)
        if told != "" or surely_id or item.question is None:
            return told
        asking = self._asking[example.split, plain(example.question)]
        difference = gold_difference(item, example)
        return f"{asking} examples ask its question, and {difference}" if difference and asking > 1 else told

    def of_id(self, item: Item) -> list[KnownExample]:
        name = identifier(item.identifier)
        return [] if name is None else self.within(item, self._by_id.get(name, []))

    def within(self, item: Item, examples: Iterable[KnownExample]) -> list[KnownExample]:
        """Those in the split that an item belongs to."""
        allowed = splits_of(item.split) if item.split is not None else {self.split} if self.split else None
        return [example for example in examples if allowed is None or example.split in allowed]


def splits_of(name: str) -> set[str]:
    """The splits that a name may mean: ours by their names; `val`, `test` and their kin are dev or eval here. None: no split's name."""
    plainly = name.strip().lower()
    if plainly in _SPLITS:
        return {plainly}
    official = SPLIT_WORDS.get(plainly)
    return {"train"} if official == "train" else {"dev", "eval"} if official else set()


def chosen(items: Items, examples: Examples, how: How = "auto") -> Join:
    """The way in which a file's items are joined. Raises BadPredictions where their numbers fit no split."""
    if how == "question":
        return ByQuestion(examples, "as asked")
    if how == "number":
        return by_place(items, examples)
    about, ids = Counter[str](), Fit()
    for source, item in items():
        about["items"] += 1
        has_id, has_text = identifier(item.identifier) is not None, item.question is not None or bool(item.golds)
        about["ids"] += has_id
        about["places"] += item.place is not None
        about["placed"] += item.place is not None and (has_text or not has_id)  # a bare `index` may well be an id
        about["questions"] += item.question is not None
        if len(matches := examples.of_id(item)) == 1:
            ids.note(source, examples.contradiction(item, matches[0], not item.by_index))
        about["known"] += bool(matches)
        about["differ"] += item.by_index and len(matches) == 1 and _is_another(examples, item, matches[0])
    by_id = ById(examples, ids, f"{about['known']:,} of {about['items']:,} items have an id of this dataset")
    if how == "id":
        return by_id
    if about["differ"]:
        return _by_index(items, examples, by_id, about["known"] == about["items"])
    if about["known"] and ids.good:
        return by_id
    if about["placed"] or (about["places"] and examples.split):
        try:
            return by_place(items, examples)
        except BadPredictions:
            if not about["known"]:
                raise
    if about["known"] or about["ids"] or not about["questions"]:
        return by_id
    return ByQuestion(examples, "no item has an id")


def _is_another(examples: Examples, item: Item, example: KnownExample) -> bool:
    """Whether an item's `index` is the id of one example and the place of another."""
    there = examples.by_place.get(example.split, {}).get(-1 if item.place is None else item.place)
    return there is not None and there is not example


def _by_index(items: Items, examples: Examples, by_id: "ById", all_known: bool) -> Join:
    """Reads `index` as ids or as places, where these are other examples: as what the items state, never by a guess.

    Raises BadPredictions.
    """
    as_places: ByPlace | None = None
    with suppress(BadPredictions):
        as_places = by_place(items, examples)
    fits_id, fits_place = by_id.fit.proven, as_places is not None and as_places.fit.proven
    if as_places is not None and fits_place and not fits_id:
        return as_places
    if by_id.fit.compared and not fits_place:  # what contradicts is told line by line
        return by_id
    if (
        as_places is not None and not fits_place and not all_known
    ):  # nothing is stated and the split was named: there is a place for each, and no id for some
        return as_places
    why = "what its items state fits both" if fits_id else "no item states a question or gold answer"
    raise BadPredictions(
        f"the field 'index' holds ids of this dataset or numbers from 0, which are other examples, and {why}; say which: "
        "--join id, or --join number with --split"
    )


class ById(Join):
    def __init__(self, examples: Examples, fit: Fit, why: str) -> None:
        self.examples, self.fit, self.words = examples, fit, f"joined by id: {why}"
        if not fit.good:
            self.words += f"; {fit.wrong:,} of {fit.compared:,} contradict, so that those which state no question count as unmatched"
        self._questions: ByQuestion | None = None

    def find(self, item: Item) -> KnownExample:
        matches, name = self.examples.of_id(item), identifier(item.identifier)
        if name is None and item.question is not None:
            self._questions = self._questions or ByQuestion(self.examples, "")
            return self._questions.find(item)
        if not matches:
            where = f" in split {item.split!r}" if item.split is not None else ""
            raise NotUsed("unmatched", f"the dataset has no example {name!r}{where}; check the id and the split")
        if len(matches) > 1:
            splits = ", ".join(sorted(example.split for example in matches))
            raise NotUsed("unmatched", f'{name!r} stands in the splits {splits}; say which by "split"')
        told = self.examples.contradiction(item, matches[0], not item.by_index)
        if told:
            raise NotUsed("contradicts", f"{name!r} is an id of the dataset, but {told}")
        if told is None and not self.fit.good:
            told = f"others contradict ({self.fit.flaws[0]}), and this states no question"
            raise NotUsed("unmatched", f"{name!r} is an id of the dataset, but {told}")
        return matches[0]


class ByPlace(Join):
    def __init__(self, examples: Examples, split: str, fit: Fit) -> None:
        self._examples, self._by_place, self.fit = examples, examples.by_place[split], fit
        self._told = examples.split is not None
        right = f"{fit.compared - fit.wrong:,} of {fit.compared:,} questions or gold answers are the examples'"
        self.words = f"joined by their numbers in split {split}: {right if fit.compared else 'the split was named'}"

    def find(self, item: Item) -> KnownExample:
        example = self._by_place.get(-1 if item.place is None else item.place)
        if example is None:
            raise NotUsed("unmatched", "it has no number" if item.place is None else f"it is number {item.place}, and there is none")
        told = self._examples.contradiction(item, example)
        if told:
            raise NotUsed("contradicts", f"number {item.place} is another example: {told}")
        if told is None and not self._told:
            raise NotUsed("unmatched", f"nothing shows that it is number {item.place} of this split; if it is, name the split by --split")
        return example


def by_place(items: Items, examples: Examples) -> ByPlace:
    """The join by number: in the split that was named, else in the only one whose examples nearly all items fit. Raises BadPredictions."""
    places = examples.by_place
    if not places:
        raise BadPredictions(
            "its items have numbers and no ids of this dataset, which doesn't know its examples' places; "
            "import the dataset again from its official files, or give ids; --join question joins by questions that one example asks"
        )
    candidates = {split: by_place for split, by_place in places.items() if examples.split in (None, split)}
    fits = {split: Fit() for split in candidates}
    for source, item in items():
        if item.place is None:
            continue
        for split, by_number in candidates.items():
            here = by_number.get(item.place)
            fits[split].note(source, examples.contradiction(item, here) if here else f"is number {item.place}, and there is none")
    good = [split for split, fit in fits.items() if fit.items and fit.good and (fit.compared or examples.split)]
    if len(good) == 1:
        return ByPlace(examples, good[0], fits[good[0]])
    flaws = [f"split {split}: {flaw}" for split, fit in fits.items() for flaw in fit.flaws]
    if good or not flaws:
        names = ", ".join(sorted(candidates))
        raise BadPredictions(f"its items have numbers but nothing that tells their split ({names}); name it by --split")
    raise BadPredictions(f"its items have numbers that fit no split of this dataset: {'; '.join(flaws)}. Give ids, or the right dataset")


class ByQuestion(Join):
    """By the question; where several examples ask it, by the picture too, if the item's file is found."""

    def __init__(self, examples: Examples, why: str) -> None:
        self.examples = examples
        self.words = f"joined by question and picture: {why}"
        self._by_question: dict[str, list[KnownExample]] = {}
        for example in examples.all:
            if example.question:
                self._by_question.setdefault(plain(example.question), []).append(example)

    def find(self, item: Item) -> KnownExample:
        if item.question is None:
            raise NotUsed("unmatched", "it states no question")
        matches = self.examples.within(item, self._by_question.get(plain(item.question), []))
        if not matches:
            where = f" in split {item.split!r}" if item.split is not None else ""
            raise NotUsed("unmatched", f"the dataset has no example with its question{where}")
        picture = self._picture(item.image)
        if picture is not None:
            asked = len(matches)
            matches = [example for example in matches if example.image == picture]
            if not matches:
                raise NotUsed("contradicts", f"of {asked} example(s) with its question none shows {str(item.image)[:80]!r}")
        if len(matches) == 1 and (told := gold_difference(item, matches[0])):
            raise NotUsed("contradicts", f"one example asks its question, but {told}")
        if len(matches) > 1:
            many = f"its question stands {len(matches)} times in the dataset: several examples ask this"
            lost = f", and {item.image[:80]!r} is neither beside the file nor in the dataset's folder" if item.image and not picture else ""
            raise NotUsed("unmatched", f"{many}{lost}; give the example's id or its picture")
        return matches[0]

    def _picture(self, name: str | None) -> str | None:
        """What the store calls the picture that an item names; None if the file isn't there."""
        if name is None or "\0" in name or len(name) > 1000:
            return None
        for folder in self.examples.pictures:
            path = folder / name
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                try:
                    return ImageStore.name_of(path)
                except BadImage:
                    return None
        return None

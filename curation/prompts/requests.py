"""What a frontier model is asked about a failure or a cluster: one pure function a prompt, from rows to a request.

The keys of a row are columns of the queries that the stages select by; filters make the requests of their own prompts.
"""

from collections.abc import Sequence
from typing import Literal

from curation.prompts.reply_schemas import BlindAnswer, ClusterTitle, Proposals, diagnosis_reply, kind_reply
from curation.prompts.templates import SHIPPED, Prompts
from curation.stage import Row
from data.question_text import lettered
from models.frontier import Request

Difficulty = Literal["as_seed", "easier", "harder"]
DIFFICULTIES: dict[Difficulty, str] = {"as_seed": "as the seed", "easier": "easier than the seed", "harder": "harder than the seed"}


def blind_request(key: str, row: Row, image_path: str, prompts: Prompts = SHIPPED) -> Request:
    """The request for the frontier's own answer, from image and question alone."""
    prompt = prompts.render("blind", question=row["question"], choices=lettered(row["choices"]), answer_form=row["answer_form"])
    return Request(key, "blind", prompt.system, prompt.user, (image_path,), BlindAnswer, 0, prompt.version)


def diagnosis_request(row: Row, own_answer: str, prompts: Prompts = SHIPPED) -> Request:
    """The request for a diagnosis, once the frontier's own answer is known."""
    prompt = prompts.render(
        "diagnosis",
        question=row["question"],
        choices=lettered(row["choices"]),
        golds=gold_text(row["golds"]),
        answer=row["answer"],
        own_answer=own_answer,
        kind=row.get("named") or "",
        error_types=prompts.taxonomy.glossary(),
    )
    return Request(
        row["key"],
        "diagnosis",
        prompt.system,
        prompt.user,
        (row["image_path"],),
        diagnosis_reply(prompts.taxonomy.names),
        0,
        prompt.version,
    )


def gold_text(golds: list[str]) -> str:
    """Gold answers as a prompt names them: each once, the most frequent first."""
    return " / ".join(sorted(set(golds), key=lambda gold: (-golds.count(gold), gold)))


def proposal_request(row: Row, count: int, difficulty: Difficulty, prompts: Prompts = SHIPPED, contrasts: int = 0) -> Request:
    """The request for `count` new samples of one failure by one route, row["route"]; `contrasts` of them ask the opposite."""
    prompt = prompts.render(
        "proposal",
        question=row["question"],
        choices=lettered(row["choices"]),
        golds=gold_text(row["golds"]),
        answer=row["answer"],
        error_type=row["error_type"],
        skill=row.get("skill") or "",
        kind=row.get("named") or "",
        faulty_reasoning=row["faulty_reasoning"],
        key_elements=", ".join(row["key_elements"]),
        route=row["route"],
        count=count,
        contrasts=min(contrasts, count // 2),
        difficulty=DIFFICULTIES[difficulty],
        answer_form=row["answer_form"],
        avoid="\n".join(f"- {question}" for question in row["avoid"]),
    )
    attempt = row.get("attempt", 0)
    return Request(row["key"], "proposal", prompt.system, prompt.user, (row["image_path"],), Proposals, attempt, prompt.version)


def untargeted_request(row: Row, count: int, prompts: Prompts = SHIPPED) -> Request:
    """The request for `count` new samples after a train example by one route, row["route"]; nothing is said of any model's answer."""
    prompt = prompts.render(
        "untargeted",
        question=row["question"],
        choices=lettered(row["choices"]),
        golds=gold_text(row["golds"]),
        route=row["route"],
        count=count,
        answer_form=row["answer_form"],
        avoid="\n".join(f"- {question}" for question in row["avoid"]),
    )
    attempt = row.get("attempt", 0)
    return Request(row["key"], "untargeted", prompt.system, prompt.user, (row["image_path"],), Proposals, attempt, prompt.version)


def kind_request(row: Row, known: Sequence[str], prompts: Prompts = SHIPPED) -> Request:
    """The request for the kind of a question: with its picture where row["image_path"] names one, else from the text alone."""
    prompt = prompts.render(
        "kind",
        question=row["question"],
        choices=lettered(row["choices"]),
        known="\n".join(f"- {name}" for name in known),
        error_types=prompts.taxonomy.glossary(),
    )
    pictures = (row["image_path"],) if row["image_path"] else ()
    return Request(row["key"], "kind", prompt.system, prompt.user, pictures, kind_reply(prompts.taxonomy.names), 0, prompt.version)


def title_request(
    name: str, error_type: str, members: list[str], neighbours: list[tuple[str, list[str]]], prompts: Prompts = SHIPPED, kind: str = ""
) -> Request:
    """The request for a title, from lines of members and of the nearest other clusters; `kind`: the named kind of all members, if any."""
    groups = "\n".join(f"Group {i} ({kind}):\n" + "\n".join(lines) for i, (kind, lines) in enumerate(neighbours, 1))
    prompt = prompts.render("title", error_type=error_type, kind=kind, members="\n".join(members), neighbours=groups)
    return Request(name, "title", prompt.system, prompt.user, (), ClusterTitle, 0, prompt.version)

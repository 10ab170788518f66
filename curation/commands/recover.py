"""`mistakebook recover`: brings decisions back that the store has lost, from the journal of decisions."""

from pathlib import Path
from typing import TYPE_CHECKING

from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import parser
from curation.commands.output import show

if TYPE_CHECKING:
    from curation.review.recovery import Recovery

DESCRIPTION = """Every decision is also kept in a journal (store.reviews.jsonl in the workspace). This compares it with the store and shows
what the store lacks; with --apply it puts that back, in the order in which it was decided. What the store has is never changed, and
doing it twice changes nothing."""


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, DESCRIPTION)
    made.add_argument("--apply", action="store_true", help="put the missing decisions back (otherwise they are only counted)")
    made.add_argument("--journal", type=Path, metavar="FILE", help="another journal: of the workspace that a backup was restored from")
    given = made.parse_args(arguments)
    if given.journal and not given.journal.is_file():
        raise CommandFailed(f"{given.journal} is not a file; give the store.reviews.jsonl of a workspace")
    app = App(given.workspace)
    from curation.review.recovery import Recovery  # not at the top: it loads the store

    recovery = app.post("/api/command/recover", {"apply": given.apply, "journal": given.journal and str(given.journal.resolve())}, Recovery)
    show(recovery, given.json, lambda: in_words(recovery))
    return 0


def in_words(found: "Recovery") -> str:
    if not found.lines:
        return "there is no journal of decisions yet: it begins with the first decision"
    actions = ", ".join(f"{action} {count:,}" for action, count in found.by_action.items())
    verb = "brought back" if found.applied else "can be brought back"
    since = (found.since or "")[:16].replace("T", " ")
    lines = [f"the journal holds {found.lines:,} lines since {since} UTC; the store has {found.known:,}"]
    lines.append(f"{found.brought_back:,} decisions {verb}{f' ({actions})' if actions else ''}")
    if found.other_text or found.no_sample or found.superseded:
        lines.append(
            f"left out: {found.other_text:,} on a text or image that is another now, {found.no_sample:,} on samples that the "
            f"store does not have, {found.superseded:,} that the same person has decided again since"
        )
    if found.damaged_lines or found.missing_lines:
        numbers = ", ".join(map(str, found.damaged_lines[:10]))
        lines.append(
            f"of the journal {found.missing_lines:,} lines are missing, {len(found.damaged_lines):,} damaged ({numbers or 'none'})"
        )
    if found.brought_back and not found.applied:
        lines.append("put them back with: mistakebook recover --apply")
    return "\n".join(lines)

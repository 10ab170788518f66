"""`mistakebook users`: who may use the app from a browser, and as what. Needs no running app; one that runs follows at once."""

import argparse
import getpass
import sys
from pathlib import Path

from curation.access.roles import GIVEN, Role
from curation.access.sessions import Sessions
from curation.access.users import Users
from curation.commands.app_client import CommandFailed, check_settings
from curation.commands.output import show, table

DESCRIPTION = """Adds, lists, changes and removes the users of this home (users.json, mode 600, hashed passwords). As long as there are
none, the app asks for no login and answers this machine alone.

  mistakebook users add ada --role admin       asks for the password; or takes it from standard input, one line
  mistakebook users add bob --role reviewer
  mistakebook users role bob editor
  mistakebook users logout bob                 ends bob's sessions

Roles: reader (looks), reviewer (decides on samples), editor (launches jobs, changes clusters and prompts), admin (endpoints, budgets,
backups, folders of the server, users). Each may do what those before it may."""
ACTIONS = ("list", "add", "remove", "role", "password", "logout")


def run(name: str, arguments: list[str]) -> int:
    made = argparse.ArgumentParser(
        prog=f"mistakebook {name}", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("action", nargs="?", default="list", choices=ACTIONS, help="default: list")
    made.add_argument("name", nargs="?", help="name of the user")
    made.add_argument("given_role", nargs="?", metavar="role", choices=GIVEN, help="of the action role")
    made.add_argument("--role", choices=GIVEN, help="role of a new user; the first one is an admin")
    made.add_argument("--no-password", action="store_true", help="add: one who comes by a trusted proxy alone")
    made.add_argument("--file", type=Path, help="another file than the home's, for app.py --auth FILE")
    made.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    given = made.parse_args(arguments)
    check_settings()
    users = Users(given.file)
    if given.action != "list" and not given.name:
        raise CommandFailed(f"users {given.action}: name a user; mistakebook users lists them")
    said = _done(users, given)
    listed = [{"name": user.name, "role": user.role, "created_at": user.created_at} for user in users.all().values()]
    nobody = "no users: the app asks for no login and answers this machine alone. Add one: mistakebook users add NAME"
    show(
        listed,
        given.json,
        lambda: (
            [said, table(listed, ["name", "role", "created_at"]) if listed else nobody]
            if said
            else (table(listed, ["name", "role", "created_at"]) if listed else nobody)
        ),
    )
    return 0


def _done(users: Users, given: argparse.Namespace) -> str:
    """Does what was asked and says so."""
    name, sessions = given.name, Sessions(users.path.parent)
    if given.action == "add":
        role: Role = given.role or given.given_role or ("reviewer" if users.all() else "admin")
        users.add(name, role, "" if given.no_password else _password(name))
        return f"{name} may log in as {role}"
    if given.action == "remove":
        users.remove(name)
        return f"{name} may not log in any more; {sessions.revoke(name)} sessions were ended. What {name} decided stays"
    if given.action == "role":
        role = given.given_role or given.role
        if role is None:
            raise CommandFailed(f"users role {name}: which role? {', '.join(GIVEN)}")
        users.set_role(name, role)
        return f"{name} is {role} now"
    if given.action == "password":
        users.set_password(name, _password(name))
        return f"{name} has another password; {sessions.revoke(name)} sessions were ended"
    if given.action == "logout":
        return f"{sessions.revoke(name)} sessions of {name} were ended"
    return ""


def _password(name: str) -> str:
    """Asked for twice at a terminal, else a line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(f"password of {name}: ")
    if first != getpass.getpass("again: "):
        raise CommandFailed("the two differ; nothing was changed")
    return first

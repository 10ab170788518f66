"""Uploads an exported folder to the Hugging Face hub, or to the server that HF_ENDPOINT names.

Only what the export wrote goes there. Pictures and weights go first, in commits of PART files, then lists and card together with the
removal of what an earlier upload had and this one doesn't: a reader never finds a list without its files. What has arrived isn't sent
again.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from data.errors import MistakebookError
from data.export_folder import MANIFEST, written_by_exports
from models.paid_calls.keys import find_key, not_found

TOKEN = "HF_TOKEN"
HUB = "https://huggingface.co"
PART = 2_000  # files in a commit; the hub advises against more
Kind = Literal["dataset", "model"]


class UploadFailed(MistakebookError):
    """An upload that the hub refused or that broke off; the text says which, and what to do."""


def host() -> str | None:
    """The machine that uploads go to; None where that is this one."""
    name = urlsplit(os.environ.get("HF_ENDPOINT") or HUB).hostname or ""
    return None if name in ("localhost", "127.0.0.1", "::1") else name


def token(keys: Path) -> str:
    """The token from HF_TOKEN or from keys.json of mode 600. Raises UploadFailed where there is none, FrontierStopped for a bad file."""
    if found := find_key(TOKEN, keys):
        return found
    raise UploadFailed(f"{not_found(TOKEN)}: set it to a token that may write, start the app again, then resume")


def push(folder: Path, repo: str, kind: Kind, key: str, private: bool = True, say: Callable[[str], None] = lambda text: None) -> str:
    """Makes a repository, if need be, equal to what the last export wrote into `folder`; returns its address.

    `private` counts for a new repository alone: one that is there stays as it is. Raises UploadFailed.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=key)
    names = sorted(written_by_exports(folder))
    last = [name for name in names if "/" not in name and not name.endswith((".safetensors", ".parquet", ".tar"))]
    first = [name for name in names if name not in last]
    try:
        full = api.create_repo(repo, repo_type=kind, private=private, exist_ok=True).repo_id
        gone = sorted(_uploaded_before(api, full, kind).difference(names))
        for start in range(0, len(first), PART):
            say(f"uploading to {full}: {start:,} of {len(names):,} files")
            adds = [CommitOperationAdd(name, folder / name) for name in first[start : start + PART]]
            api.create_commit(full, adds, commit_message="Files of an export", repo_type=kind)
        say(f"uploading to {full}: lists and card")
        closing: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = []
        closing += [CommitOperationAdd(name, folder / name) for name in [*last, MANIFEST]]
        closing += [CommitOperationDelete(name) for name in gone]
        api.create_commit(full, closing, commit_message="Lists and card of an export", repo_type=kind)
    except OfflineModeIsEnabled as error:
        raise UploadFailed(f"HF_HUB_OFFLINE is set: nothing is sent; start the app without it, then resume. {folder} is whole") from error
    except HFValidationError as error:
        raise UploadFailed(f"{repo!r} is no name of a repository (OWNER/NAME expected): {error}") from error
    except HfHubHTTPError as error:
        raise UploadFailed(_refusal(error, repo, folder)) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise UploadFailed(f"the upload to {repo} broke off ({_line(error)}). {folder} is whole; resume sends what is missing") from error
    except Exception as error:
        if not type(error).__module__.startswith(("httpx", "httpcore", "requests")):
            raise
        raise UploadFailed(f"{host() or 'the server'} can't be reached ({_line(error)}). {folder} is whole; resume tries again") from error
    return f"{api.endpoint}/{'datasets/' if kind == 'dataset' else ''}{full}"


def _uploaded_before(api: object, repo: str, kind: Kind) -> set[str]:
    """What an earlier upload of an export put there; files of others in the repository are none of ours."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import EntryNotFoundError

    assert isinstance(api, HfApi)
    with tempfile.TemporaryDirectory() as place:
        try:
            api.hf_hub_download(repo, MANIFEST, repo_type=kind, local_dir=place)
        except EntryNotFoundError:
            return set()
        return written_by_exports(Path(place))


def _refusal(error: Exception, repo: str, folder: Path) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return f"the hub doesn't know this {TOKEN}; make a new one that may write, start the app with it, then resume. {folder} is whole"
    if status == 403:
        return f"this {TOKEN} may not write to {repo}; give it that right or name another repository. {folder} is whole"
    if status == 404:
        return f"the hub has no {repo} that this {TOKEN} may see; check the owner's name. {folder} is whole"
    return f"the hub refused the upload to {repo} ({_line(error)}). {folder} is whole; resume sends what is missing"


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"

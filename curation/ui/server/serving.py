"""Opens a workspace and serves it until it is told to stop: what `python app.py` and a headless owner do."""

import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from dataclasses import replace

import uvicorn

from curation.access.users import Users
from curation.config import BadSettings, Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from curation.ui.server.guards import is_loopback
from curation.workspaces import owner
from data.store import Store, StoreInUse
from data.workspace import DEFAULT_NAME, Workspace

LEAVE_SECONDS = 30  # how long an idle headless owner may take to hand over
log = logging.getLogger(__name__)


def serve(workspace: Workspace, settings: Settings) -> None:
    """Serves until SIGINT, SIGTERM, or (headless) until idle. Raises BadSettings, BadAuthFile, StoreError before it listens."""
    users = Users(settings.auth)
    if (settings.auth or not is_loopback(settings.host)) and not users.all() and not settings.trust_proxies:
        why = f"--auth {settings.auth}" if settings.auth else f"--host {settings.host}, which lets other machines in,"
        raise BadSettings(
            f"{users.path} names no users, and {why} needs some. Add yourself: mistakebook users add NAME --role admin "
            "(and give --allow-host NAME, the name that they will use)"
        )
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise BadSettings("--tls-cert and --tls-key go together: the certificate's chain and its private key, as PEM files")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again after its own shutdown
    listening = _bind(settings)
    store = jobs = None
    try:
        store = _open(workspace)
        jobs = JobManager(store, workspace, stage_class)
        jobs.resume_after_restart()
        if store.salvage:
            _bring_back_decisions(store)
        _run(workspace, store, jobs, replace(settings, token=settings.token or secrets.token_urlsafe(32)), listening)
    except KeyboardInterrupt:
        print("stopping", file=sys.stderr)
    finally:
        owner.withdraw(workspace)
        if jobs:
            jobs.shutdown()
        if store:
            store.close()
        listening.close()


def _bring_back_decisions(store: Store) -> None:
    """After a damaged log: what the journal of decisions holds is put back at once, for it was acknowledged."""
    from curation.review import recovery
    from curation.workspaces import damage

    assert store.salvage
    try:
        done = recovery.recover(store, apply=True)
        damage.note_recovery(store.salvage.folder, done.brought_back, done.left_out, len(done.damaged_lines) + done.missing_lines)
    except Exception:  # the app opens all the same; the page says that decisions may be missing
        log.exception("decisions could not be brought back from their journal; see mistakebook recover")


def _run(workspace: Workspace, store: Store, jobs: JobManager, settings: Settings, listening: socket.socket) -> None:
    from curation.calibration import auto_approval
    from curation.workspaces import backup_schedule, backups, builtin

    backups.sweep(workspace)
    builtin.prepare(store)
    app = create_app(workspace, store, jobs, settings, headless=settings.headless)
    app.state.services.search.refresh_soon()
    certificate = {"ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key} if settings.tls_cert else {}
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        proxy_headers=False,  # whose count is the gate's to say
        **certificate,  # type: ignore[arg-type]
    )
    server = uvicorn.Server(config)
    app.state.quit = lambda: setattr(server, "should_exit", True)
    port = listening.getsockname()[1]
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "127.0.0.1") else _bracketed(settings.host)
    address = f"{'https' if settings.tls_cert else 'http'}://{host}:{port}"
    listening.listen(config.backlog)  # who reads the address may connect at once, and waits until the server runs
    owner.announce(workspace, address, settings.token, settings.headless)
    stopped = threading.Event()
    if settings.headless:
        threading.Thread(target=_leave_when_idle, args=(app, jobs, settings.idle_seconds), daemon=True).start()
    else:
        where = {"workspace": workspace.name, "address": f"{address}{settings.root_path}", "pid": os.getpid()}
        print(
            json.dumps(where)
            if settings.say_json
            else f"Mistakebook: workspace {workspace.name} at {address}{settings.root_path} (Ctrl-C stops it)",
            flush=True,
        )
        if workspace.name == DEFAULT_NAME and not any(job.stage == "evaluate" for job in jobs.latest()):
            threading.Thread(target=_begin, args=(builtin, store, jobs, stopped), name="begin", daemon=True).start()
    threading.Thread(target=auto_approval.watch, args=(store, stopped), name="audit", daemon=True).start()
    if not settings.headless:  # one of the command line ends by itself, often before a backup was due
        threading.Thread(target=backup_schedule.watch, args=(store, workspace, stopped), name="backups", daemon=True).start()
    try:
        server.run(sockets=[listening])
    finally:
        stopped.set()
        app.state.services.search.close()
        app.state.services.audit.close()


def _begin(builtin, store: Store, jobs: JobManager, stopped: threading.Event) -> None:
    try:
        builtin.begin(store, jobs)
    except Exception:
        if not stopped.is_set():  # a store that is being closed is no fault
            log.exception("the built-in workspace could not be started; see the Jobs page")


def _leave_when_idle(app, jobs: JobManager, idle_seconds: float) -> None:
    while idle_seconds:
        time.sleep(min(1.0, idle_seconds / 4))
        if jobs.active() or app.state.under_way:
            app.state.last_request = time.monotonic()
        elif time.monotonic() - app.state.last_request > idle_seconds:
            app.state.quit()
            return


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off just where the protocol is named: else each answer waits 40 ms for an acknowledgement
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise BadSettings(
            f"port {settings.port} of {settings.host} can't be used ({error.strerror}): "
            "stop what uses it, choose another with --port (or MISTAKEBOOK_PORT), or --port 0 for any free one"
        ) from error
    bound.set_inheritable(False)
    return bound


def _open(workspace: Workspace) -> Store:
    workspace.create()
    try:
        return Store(workspace.store, workspace.backups)
    except StoreInUse as error:
        if not _asked_to_leave(workspace):
            raise StoreInUse(owner.held_by(workspace, str(error))) from error
    return Store(workspace.store, workspace.backups)


def _asked_to_leave(workspace: Workspace) -> bool:
    """A headless owner that the command line left behind hands the workspace over, unless it runs jobs."""
    noted = owner.find(workspace)
    if not noted or not noted.headless:
        return False
    try:
        noted.request("POST", "/api/quit")
    except owner.Refused as error:
        raise StoreInUse(f"workspace {workspace.name}: a headless app (process {noted.pid}) {error}") from error
    deadline = time.monotonic() + LEAVE_SECONDS
    while noted.is_alive() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not noted.is_alive()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

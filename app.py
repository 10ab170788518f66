"""Mistakebook: opens a workspace and serves its pages.  python app.py [--workspace NAME] [--port 7860]"""

import argparse
import logging
import sys
from pathlib import Path

from curation.access.roles import GIVEN
from curation.config import Settings, Variables, path, restart_with_file_variables, variables
from curation.frontier import endpoints
from data import workspace
from data.errors import MistakebookError
from data.machine import keep_files_private


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    flags = parser().parse_args()
    keep_files_private()
    try:
        restart_with_file_variables()
        endpoints.read()
        from curation.ui.server.serving import serve  # not at the top: takes a second, which --help and a restart needn't wait

        serve(workspace.find(flags.workspace), _settings(flags))
    except MistakebookError as error:
        sys.exit(f"mistakebook: {error}")


def _settings(flags: argparse.Namespace) -> Settings:
    return Settings(
        host=flags.host,
        port=variables(port=flags.port).port,
        allow_hosts=tuple(flags.allow_host),
        root_path=flags.root_path.rstrip("/"),
        auth=flags.auth,
        trust_proxies=tuple(flags.trust_proxy),
        user_header=flags.user_header,
        proxy_role=flags.proxy_role,
        tls_cert=flags.tls_cert,
        tls_key=flags.tls_key,
        reviewer=flags.reviewer,
        headless=flags.headless,
        idle_seconds=flags.idle,
        say_json=flags.json,
    )


def parser() -> argparse.ArgumentParser:
    fields = Variables.model_fields.values()
    names = "\n".join(f"  {field.validation_alias:24}{field.description}" for field in fields)
    made = argparse.ArgumentParser(
        prog="app.py",
        description=__doc__,
        epilog=f"variables, from the environment or else from {path()}:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--workspace", default=workspace.DEFAULT_NAME, help="its name: a folder in MISTAKEBOOK_HOME (default: %(default)s)")
    made.add_argument("--host", default="127.0.0.1", help="address to listen on; other than loopback needs users (default: %(default)s)")
    made.add_argument("--port", type=int, help="port to listen on; 0: any free one (MISTAKEBOOK_PORT, else 7860)")
    made.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="also answer under this name (tunnels, proxies)")
    made.add_argument("--root-path", default="", metavar="PATH", help="the path under which a proxy shows the app")
    made.add_argument("--auth", type=Path, metavar="FILE", help="file of users (see: mistakebook users); default: users.json of the home")
    made.add_argument("--tls-cert", type=Path, metavar="FILE", help="serve HTTPS: the certificate's chain, as PEM")
    made.add_argument("--tls-key", type=Path, metavar="FILE", help="and its private key")
    made.add_argument("--trust-proxy", action="append", default=[], metavar="ADDRESS", help="a proxy (or network) whose headers count")
    made.add_argument("--user-header", default="X-Forwarded-User", metavar="NAME", help="who logged in there (default: %(default)s)")
    made.add_argument("--proxy-role", default="reader", choices=GIVEN, help="of those who are in no file of users (default: %(default)s)")
    made.add_argument("--reviewer", help="whose decisions these are; a login stands over it (default: your account's name)")
    made.add_argument("--headless", action="store_true", help="no pages, just the JSON routes that the command line uses")
    made.add_argument(
        "--idle", type=float, default=0, metavar="SECONDS", help="with --headless: end after so long without requests and jobs"
    )
    made.add_argument("--json", action="store_true", help="print the address as JSON once it is known")
    return made


if __name__ == "__main__":
    main()

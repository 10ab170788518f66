"""A key's value goes to the addresses that it was named for and to no other; other environment variables are no keys."""

import http.server
import json
import threading

import pytest
from pydantic import ValidationError

from curation.config import BadSettings
from curation.frontier import endpoint_test, endpoints, key_rules
from curation.frontier.client import open_client
from curation.frontier.options import FrontierOptions
from models.paid_calls import reach
from models.paid_calls.records import FrontierStopped

SECRET = "sk-this-must-not-leave-12345"


@pytest.fixture
def file(home):
    home.mkdir()
    return home / "config.toml"


@pytest.fixture(scope="module")
def server():
    """(address, headers of the calls that came): refuses each."""
    came = []

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            came.append(dict(self.headers))
            self.rfile.read(int(self.headers["Content-Length"]))
            away = "away" in self.path
            body = json.dumps({"error": {"message": "no key"}}).encode()
            self.send_response(307 if away else 401)
            if away:
                self.send_header("Location", "/v1/chat/completions")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_address[1]}/v1", came
    serving.shutdown()


def called(workspace, came, **options):
    """What a test call says, and the headers that it came with."""
    came.clear()
    with open_client(FrontierOptions(model="m", **options), workspace) as client:
        words = client.test()
    return words, json.dumps(came)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OTHER_API_KEY"])
def test_a_key_goes_only_to_addresses_that_it_was_named_for(file, workspace, server, monkeypatch, name):
    address, came = server
    monkeypatch.setenv(name, SECRET)
    words, headers = called(workspace, came, endpoint=address, api_key_env=name)
    assert came and SECRET not in headers
    assert f"{name}, which was not sent" in words and "[keys]" in words and SECRET not in words
    file.write_text(f'[keys]\n{name} = ["https://elsewhere/v1", "{address}"]')
    assert SECRET in called(workspace, came, endpoint=address, api_key_env=name)[1]
    file.write_text(f'[frontier.here]\nendpoint = "{address}"\nmodel = "m"\napi_key_env = "{name}"')
    assert SECRET in called(workspace, came, frontier="here")[1]
    other = address.replace("127.0.0.1", "localhost")  # another name is another address
    assert SECRET not in called(workspace, came, frontier="here", endpoint=other)[1]


def test_openais_key_goes_where_the_environment_says(file, workspace, server, monkeypatch):
    address, came = server
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert key_rules.may_go("OPENAI_API_KEY", "https://api.openai.com/v1/chat") and not key_rules.may_go("OPENAI_API_KEY", address)
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    assert SECRET in called(workspace, came, endpoint=address)[1]
    assert not key_rules.may_go("OPENAI_API_KEY", "https://api.openai.com/v1")  # it is that server's then


def test_a_redirect_takes_no_key_along(file, workspace, server, monkeypatch):
    address, came = server
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{address}/away")
    words, _ = called(workspace, came, endpoint=f"{address}/away")
    assert words.startswith("Failed") and len(came) == 1


@pytest.mark.parametrize("name", ["LANG", "AWS_SECRET_ACCESS_KEY", "PATH", "API_KEY", "BOX_KEY"])
def test_other_variables_are_no_keys(file, name, monkeypatch):
    monkeypatch.setenv(name, SECRET)
    with pytest.raises(ValidationError, match="ends in _API_KEY"):
        FrontierOptions(api_key_env=name)
    with pytest.raises(BadSettings, match="ends in _API_KEY"):
        endpoints.save("mine", {"endpoint": "http://a/v1", "model": "m", "api_key_env": name})
    file.write_text(f'[keys]\n{name} = "http://a/v1"')  # by hand, its owner may name what they like
    assert FrontierOptions(api_key_env=name).api_key_env == name
    endpoints.save("mine", {"endpoint": "http://a/v1", "model": "m", "api_key_env": name})


def test_what_is_wrong_under_keys_is_named(file):
    file.write_text("[keys]\nOPENAI_API_KEY = 3")
    with pytest.raises(BadSettings, match=r"\[keys\] OPENAI_API_KEY: expected an address"):
        key_rules.may_go("OPENAI_API_KEY", "http://a/v1")


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "0.0.0.0", "224.0.0.1"])
def test_where_a_cloud_keeps_credentials_is_never_called(file, workspace, address):
    assert reach.refuse(address)
    shown = f"[{address}]" if ":" in address else address
    outcome = endpoint_test.test_endpoint(workspace, {"endpoint": f"http://{shown}/v1", "model": "m"})
    assert not outcome.ok and "no endpoint's" in outcome.words


def test_a_test_call_goes_to_the_address_that_was_looked_at(file, workspace, server, monkeypatch):
    """A name that resolves to another address at each look (DNS rebinding) is looked at once."""
    import asyncio
    import socket

    address, came = server
    asked = []
    real = asyncio.BaseEventLoop.getaddrinfo

    async def rebinding(loop, host, port, **more):
        if host != "rebinding.example":
            return await real(loop, host, port, **more)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1" if len(asked) == 1 else "169.254.169.254", port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", rebinding)
    for _ in range(2):
        came.clear()
        asked[:] = asked[:0]
        words = endpoint_test.test_endpoint(workspace, {"endpoint": address.replace("127.0.0.1", "rebinding.example"), "model": "m"}).words
        assert came and len(asked) == 1, words
    asked.append("before")
    words = endpoint_test.test_endpoint(workspace, {"endpoint": address.replace("127.0.0.1", "rebinding.example"), "model": "m"}).words
    assert "169.254.169.254" in words or "reached" in words
    with pytest.raises(FrontierStopped):
        reach.pin(None, "http://169.254.169.254/v1")

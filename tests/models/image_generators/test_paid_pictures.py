"""Pictures that cost something: never bought twice, priced, within their budget, also as a job that is stopped and resumed."""

import base64
import gc
import io
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image
from pydantic import ValidationError

from curation.jobs.chains import Step
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from data.images import ImageStore
from data.registry import IMAGE_GENERATORS
from models.frontier import FrontierStopped, Journal
from models.image_generators import DrawError, GeneratorContext

pytestmark = pytest.mark.timeout(600)


def png(shade, size=(32, 32)):
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade % 256, shade // 256 % 256, 0)).save(buffer, "PNG")
    return buffer.getvalue()


class Server(BaseHTTPRequestHandler):
    """Every picture it gives has another shade, in the order of asking. Faults by what the prompt says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        with server.lock:
            server.fetched += 1
        if server.fetched == 1 and server.gone:
            return self.reply(503, b"later")
        self.reply(200, png(int(self.path.rpartition("/")[2])), "image/png")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server, prompt = self.server, body["prompt"]
        with server.lock:
            server.calls.append(dict(body))
            server.times[prompt] += 1
            times = server.times[prompt]
        time.sleep(server.seconds)
        if "no format" in prompt and "response_format" in body:
            return self.reply(400, json.dumps({"error": {"message": "Unknown parameter: 'response_format'."}}).encode())
        error = next((fault for fault in FAULTS if fault in prompt), None)
        if error and (times == 1 or not error.startswith("once")):
            status, said = FAULTS[error]
            return self.reply(status, json.dumps({"error": said}).encode())
        if "hang once" in prompt and times == 1:
            time.sleep(6.0)
        if "one short" in prompt:
            body["n"] -= body["n"] > 1
        with server.lock:
            first = server.given
            server.given += body["n"]
        shades = range(first, first + body["n"])
        address = f"http://127.0.0.1:{server.server_port}/p/"
        data = [{"url": f"{address}{s}"} if "url" in prompt else {"b64_json": base64.b64encode(png(s)).decode()} for s in shades]
        details = {"text_tokens": 20, "image_tokens": 0}
        usage = {"input_tokens": 20 * body["n"], "output_tokens": 1000 * body["n"], "input_tokens_details": details}
        self.reply(200, json.dumps({"created": 1, "data": data, "usage": usage}).encode())

    def reply(self, status, content, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


FAULTS = {
    "once 429": (429, {"message": "slow down"}),
    "once 500": (500, {"message": "sorry"}),
    "quota": (429, {"message": "You exceeded your quota", "code": "insufficient_quota"}),
    "wrong key": (401, {"message": "Incorrect API key provided: sk-very-secret-1234"}),
    "policy": (400, {"message": "Your request was rejected by the safety system", "code": "content_policy_violation"}),
}


@pytest.fixture
def server(monkeypatch, home):
    monkeypatch.setenv("PICTURE_KEY", "sk-very-secret-1234")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    server.lock, server.calls, server.times = threading.Lock(), [], Counter()
    server.given, server.fetched, server.gone, server.seconds = 0, 0, False, 0.0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(f'[keys]\nPICTURE_KEY = "http://127.0.0.1:{server.server_port}/v1"')
    yield server
    server.shutdown()
    server.server_close()


def options_of(server, **more):
    address = f"http://127.0.0.1:{server.server_port}/v1"
    return {"base_url": address, "api_key_env": "PICTURE_KEY", "size": "32x32", **more}


@pytest.fixture
def context(tmp_path):
    return GeneratorContext(tmp_path / "replies.sqlite", tmp_path / "images", "7")


def draw(server, context, prompts, seeds=None, **options):
    generator = IMAGE_GENERATORS.make("openai_images", {"model": "painter", **options_of(server, **options)})
    generator.open(context)
    return generator.draw(prompts, seeds or range(len(prompts)))


def shades(drawn):
    return [Image.open(io.BytesIO(content)).getpixel((0, 0))[0] for content in drawn]


def price(context, **fields):
    context.journal.with_name("prices.json").write_text(json.dumps({"models": {"painter": fields}}))


def booked(context):
    journal = Journal(context.journal)
    spent = journal.spend(context.scope), journal.spent_usd(context.scope), [reply for _, reply in journal.replies()]
    journal.close()
    return spent


def test_a_picture_is_bought_once(server, context):
    first = draw(server, context, ["a", "b", "c"])
    again = draw(server, context, ["c", "b", "d", "a"], [2, 1, 3, 0])
    assert again == [first[2], first[1], again[2], first[0]] and len(server.calls) == 4
    assert draw(server, context, ["a"], [5]) != first[:1]  # another seed is another picture
    assert "base64" not in (body := booked(context)[2][0].body) and json.loads(body)["data"][0]["sha256"] and len(body) < 500


def test_pictures_behind_addresses_are_fetched_from_the_server_itself(server, context):
    server.gone = True
    assert shades(draw(server, context, ["url 1", "url 2"], workers=1)) == [0, 1] and server.fetched == 3
    assert draw(server, context, ["url 1"]) and server.fetched == 3


def test_a_server_that_knows_no_response_format_is_asked_without_also_by_calls_under_way(server, context):
    server.seconds = 0.5
    assert len(shades(draw(server, context, [f"no format {i}" for i in range(4)], workers=4, retries=1))) == 4
    assert sum("response_format" in call for call in server.calls) == 4 and len(server.calls) == 8


def test_several_pictures_of_a_prompt_go_into_one_call(server, context):
    drawn = draw(server, context, ["a", "a", "a", "a", "a", "b"], n=4)
    assert [call["n"] for call in sorted(server.calls, key=lambda call: (call["prompt"], -call["n"]))] == [4, 1, 1]
    assert len(set(shades(drawn))) == 6
    assert draw(server, context, ["a", "a"], [3, 0], n=4) == [drawn[3], drawn[0]] and len(server.calls) == 3
    draw(server, context, ["one short"] * 3, [0, 1, 2], n=3)
    assert [call["n"] for call in server.calls if call["prompt"] == "one short"] == [3, 1]


def test_each_reply_is_priced_by_picture_or_by_tokens(server, context):
    draw(server, context, ["unpriced"])
    assert booked(context)[0][0].usd is None and booked(context)[0][0].unpriced == 1
    price(context, picture=0.04)
    draw(server, context, ["x", "x"], n=2)
    price(context, input=5.0, output=40.0)
    draw(server, context, ["y"])
    costs = [reply.cost_usd for reply in booked(context)[2]]
    assert costs == [None, 0.04, 0.04, pytest.approx((20 * 5 + 1000 * 40) / 1e6)]
    context.journal.with_name("prices.json").write_text(
        json.dumps({"models": {"painter": {"picture": 1}, "painter 32x32 high": {"picture": 2}}})
    )
    draw(server, context, ["z"], quality="high")
    assert booked(context)[2][-1].cost_usd == 2


def test_the_estimate_is_a_range_or_nothing(server, context):
    def estimate(count=10):
        generator = IMAGE_GENERATORS.make("openai_images", {"model": "painter", **options_of(server)})
        return generator.estimate(count, context)

    assert estimate() is None
    price(context, picture=0.04)
    assert estimate() == pytest.approx((0.4, 0.4))
    price(context, input=5.0, output=40.0)
    low, high = estimate()
    assert low < 10 * 0.0401 < high
    draw(server, context, [f"p{i}" for i in range(6)])
    assert estimate() == pytest.approx((0.9 * 0.401, 1.15 * 0.401))


def test_faults_are_asked_again_or_told_and_only_what_may_be_billed_is_charged(server, context):
    price(context, picture=0.04)
    drawn = draw(server, context, ["once 429", "once 500", "policy", "hang once"], timeout=4.0, retries=2)
    assert [isinstance(content, bytes) for content in drawn] == [True, True, False, True]
    assert "safety system" in str(drawn[2]) and server.times["policy"] == 1 and server.times["hang once"] == 2
    (spend,), (spent, in_flight), _ = booked(context)
    assert (spend.calls, spend.usd, spend.lost, spend.lost_usd) == (3, pytest.approx(0.12), 1, 0.04)
    assert (spent, in_flight) == (pytest.approx(0.16), 0)


@pytest.mark.parametrize(("prompt", "resumable", "words"), [("quota", True, "quota"), ("wrong key", False, "PICTURE_KEY")])
def test_what_stops_the_job_stops_it_with_the_cause(server, context, prompt, resumable, words):
    with pytest.raises(FrontierStopped, match=words) as stopped:
        draw(server, context, [prompt, "fine"])
    assert stopped.value.resumable == resumable and "sk-very" not in str(stopped.value)


def test_a_budget_holds_and_needs_a_price(server, context, tmp_path):
    capped = GeneratorContext(context.journal, context.images, "7", 0.10)
    with pytest.raises(FrontierStopped, match="no price"):
        draw(server, capped, ["a"])
    price(context, picture=0.04)
    with pytest.raises(FrontierStopped, match=r"budget of \$0.10 is reached: \$0.0800 is spent"):
        draw(server, capped, list("abcdef"), n=3)
    assert server.given == 2 and booked(context)[1] == (pytest.approx(0.08), 0)
    raised = GeneratorContext(context.journal, context.images, "7", 0.25)
    assert len(shades(draw(server, raised, list("abcdef")))) == 6 and server.given == 6


def test_where_a_budget_stops_several_at_once_none_is_left_over(server, context, caplog):
    """asyncio complains of an exception that nobody has looked at when it is thrown away: at any later moment."""
    price(context, picture=0.04)
    for scope in "789":
        with pytest.raises(FrontierStopped, match="budget"):
            draw(server, GeneratorContext(context.journal, context.images, scope, 0.10), [f"{scope} {letter}" for letter in "abcdefghijkl"])
        gc.collect()
    assert "never retrieved" not in caplog.text


def test_a_stop_waits_for_nobody_longer_than_two_seconds_and_charges_what_was_cut_off(server, context):
    price(context, picture=0.04)
    server.seconds, stopped = 30.0, []

    def should_stop():
        if not stopped and len(server.calls) == 4:
            stopped.append(time.monotonic())
        return bool(stopped)

    stopping = GeneratorContext(context.journal, context.images, "7", None, should_stop)
    assert draw(server, stopping, list("abcdefgh"), workers=4) == [None] * 8
    assert time.monotonic() - stopped[0] < 15, "half of what a call takes; it waits 2 s for what may still arrive"
    (spend,), (spent, in_flight), _ = booked(context)
    assert (spend.calls, spend.lost, in_flight) == (0, 4, 0) and spent == pytest.approx(0.16)


def test_no_call_goes_out_after_a_stop(server, context):
    stopping = GeneratorContext(context.journal, context.images, "7", None, lambda: bool(server.calls))
    assert draw(server, stopping, ["once 500"]) == [None] and len(server.calls) == 1


def test_a_picture_that_cant_be_kept_stops_the_job_instead_of_being_bought_again(server, context):
    price(context, picture=0.04)
    context.images.mkdir()
    for number in range(256):
        (context.images / f"{number:02x}").write_text("where a folder should be")
    with pytest.raises(FrontierStopped, match="can't be saved in"):
        draw(server, context, ["a", "a"], n=2)
    assert len(server.calls) == 1 and booked(context)[1] == (pytest.approx(0.08), 0), "what came may be billed, and is charged"


def test_a_picture_whose_file_is_gone_is_said_to_be(server, context):
    draw(server, context, ["a"])
    sha = json.loads(booked(context)[2][0].body)["data"][0]["sha256"]
    ImageStore(context.images).path(sha).unlink()
    (again,) = draw(server, context, ["a"])
    assert isinstance(again, DrawError) and "restore a backup" in str(again) and len(server.calls) == 1


def waiting(store, count):
    """Samples that wait for a picture."""
    row = {
        "round": 1,
        "dataset": "d",
        "error_type": "counting",
        "route": "new_image",
        "difficulty": "harder",
        "question": "How many?",
        "choices": [],
        "answer": "2",
    }
    with store.write() as write:
        rows = [{"key": f"1/{i}/new_image/0/0", "image_prompt": f"picture {i}", "seed": i, **row} for i in range(count)]
        ids = sorted(write.insert("sample", rows, returning="sample_id"))
        write.touch(ids)
    return ids


def test_as_a_job_it_runs_beside_the_gpu_is_paid_once_and_goes_on_with_a_higher_cap(server, store, workspace):
    (workspace.root / "prices.json").write_text(json.dumps({"models": {"painter": {"picture": 0.04}}}))
    ids, jobs = waiting(store, 5), JobManager(store, workspace, stage_class)
    options = {"generator": "openai_images", "model": "painter", "generator_options": options_of(server, workers=1), "budget_usd": 0.13}
    assert jobs.estimate("draw", options).usd == pytest.approx((0.2, 0.2))
    job_id = jobs.launch("draw", options, "ada")
    job = jobs.wait(job_id, 240)
    assert (job.status, job.lane, job.done) == ("paused", "api", 0) or job.done == 3
    assert "budget of $0.13 is reached" in job.message and server.given == 3 and job.spend_usd == pytest.approx(0.12)
    jobs.set_budget(job_id, 1.0)
    jobs.resume(job_id)
    job = jobs.wait(job_id, 240)
    assert (job.status, job.done, server.given) == ("done", 5, 5) and job.spend_usd == pytest.approx(0.2)
    drawn = {row["sample_id"]: row["image"] for row in store.rows("samples_as_context")}
    assert set(drawn) == set(ids) and len(set(drawn.values())) == 5
    jobs.shutdown()


def test_options_that_the_generator_does_not_have_are_named_before_anything_is_queued(store, workspace):
    waiting(store, 1)
    jobs = JobManager(store, workspace, stage_class)
    options = {"generator": "openai_images", "model": "painter", "generator_options": {"sized": 3}}
    with pytest.raises(ValidationError, match="options of openai_images: sized: extra inputs are not permitted"):
        jobs.launch("draw", options, "ada")
    with pytest.raises(ValidationError, match="sized"):  # nor at the end of a chain whose first stages were paid
        jobs.launch("generate", {}, "ada", [Step(stage="draw", options=options)])
    assert jobs.latest() == []


def test_a_job_without_its_key_stops_at_once(store, workspace, monkeypatch):
    monkeypatch.delenv("NO_SUCH_API_KEY", raising=False)
    waiting(store, 30)
    jobs = JobManager(store, workspace, stage_class)
    options = {"generator": "openai_images", "generator_options": {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "NO_SUCH_API_KEY"}}
    job = jobs.wait(jobs.launch("draw", {**options, "model": "painter"}, "ada"), 60)
    assert (job.status, job.done, job.failed) == ("paused", 0, 0) and "no key for image generator 'painter'" in job.message
    jobs.shutdown()


def test_further_pictures_of_a_prompt_become_samples(server, store, workspace):
    ids, jobs = waiting(store, 2), JobManager(store, workspace, stage_class)
    options = {"generator": "openai_images", "model": "painter", "generator_options": options_of(server, n=3), "images_per_prompt": 3}
    assert jobs.estimate("draw", options).rows == 6
    job = jobs.wait(jobs.launch("draw", options, "ada"), 240)
    assert (job.status, job.done, len(server.calls)) == ("done", 6, 2)
    rows = store.rows("samples_as_context")
    assert len(rows) == 6 and len({row["image"] for row in rows}) == 6 and {row["question"] for row in rows} == {"How many?"}
    assert set(ids) < {row["sample_id"] for row in rows}
    made = store._cursor().execute("SELECT difficulty, seed FROM sample").fetchall()
    assert {difficulty for difficulty, _ in made} == {"harder"} and len({seed for _, seed in made}) == 6
    jobs.shutdown()


def test_a_key_goes_to_no_server_that_it_was_not_named_for(server, store, workspace, home):
    (home / "config.toml").unlink()
    waiting(store, 3)
    jobs = JobManager(store, workspace, stage_class)
    for name in ("PICTURE_API_KEY", "PICTURE_KEY"):
        given = {**options_of(server), "api_key_env": name}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(name, "sk-very-secret-1234")
            job = jobs.wait(jobs.launch("draw", {"generator": "openai_images", "model": "painter", "generator_options": given}, "ada"), 60)
        assert job.status == "paused" and "no key for image generator 'painter'" in job.message and "sk-very" not in job.message
    assert server.calls == []
    jobs.shutdown()

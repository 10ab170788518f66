"""How servers that call themselves OpenAI-compatible differ, as their users report it: one name a quirk, asked for as the model.

REJECTS: what a server doesn't take, and how it says so. SHAPES: how its replies look. FAILS: what an error looks like there.
"""

import json
import time

_STRICT_TAKES = {
    "type", "description", "enum", "properties", "required", "additionalProperties", "items", "anyOf", "$defs", "$ref", "minimum",
    "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "format", "minItems", "maxItems",
}  # fmt: skip


def schema_of(body: dict) -> dict | None:
    if body.get("tools"):
        return body["tools"][0]["function"]["parameters"]
    return ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")


def nodes(schema: dict, path: str = "()"):
    """(path, node) of a schema and all schemas in it."""
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from nodes(part, f"('properties', '{name}')")
    for part in [*schema.get("anyOf", ()), *schema.get("$defs", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        yield from nodes(part, path)


def openai_strict(body: dict):
    """OpenAI's strict dialect of JSON schema, as its error messages tell it."""
    format_ = body.get("response_format") or {}
    strict = (format_.get("json_schema") or {}).get("strict") or (body.get("tools") or [{}])[0].get("function", {}).get("strict")
    if not strict:
        return None
    for path, node in nodes(schema_of(body)):
        problem = None
        if "$ref" in node and len(node) > 1:
            problem = f"$ref cannot have keywords {set(node) - {'$ref'}}"
        elif unknown := set(node) - _STRICT_TAKES:
            problem = f"'{sorted(unknown)[0]}' is not permitted"
        elif not node.keys() & {"type", "anyOf", "$ref"}:
            problem = "schema must have a 'type' key"
        elif node.get("type") == "object" and node.get("additionalProperties") is not False:
            problem = "'additionalProperties' is required to be supplied and to be false"
        elif node.get("type") == "object" and sorted(node["required"]) != sorted(node["properties"]):
            problem = "'required' is required to be supplied and to be an array including every key in properties"
        if problem:
            return 400, {
                "error": {
                    "message": f"Invalid schema for response_format 'X': In context={path}, {problem}.",
                    "type": "invalid_request_error",
                    "code": "invalid_json_schema",
                }
            }
    return None


def _error(message: str, status: int = 400, **more):
    return status, {"error": {"message": message, **more}}


def _has_schema(body: dict) -> bool:
    return schema_of(body) is not None


def openai_reasoning(body):
    for name, hint in (("max_tokens", " Use 'max_completion_tokens' instead."), ("temperature", "")):
        if name in body:
            message = f"Unsupported parameter: '{name}' is not supported with this model.{hint}"
            return _error(message, type="invalid_request_error", param=name, code="unsupported_parameter")
    return openai_strict(body)


def o1_mini(body):
    if body["messages"][0]["role"] == "system":
        message = "Unsupported value: 'messages[0].role' does not support 'system' with this model."
        return _error(message, type="invalid_request_error", param="messages[0].role", code="unsupported_value")
    return openai_reasoning(body)


def azure(body):
    """Not these keywords, by its documentation."""
    if "api_version" not in body.get("_query", "") and "api-version" not in body.get("_query", ""):
        return 404, {"error": {"code": "404", "message": "Resource not found"}}
    if body["_headers"].get("api-key") != "azure-key" or "Authorization" in body["_headers"]:
        return 401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}}
    for path, node in nodes(schema_of(body) or {}):
        for keyword in ("minimum", "maximum", "minLength", "maxLength", "pattern", "format", "minItems", "maxItems"):
            if keyword in node:
                return _error(f"Invalid schema for response_format 'X': In context={path}, '{keyword}' is not permitted.")
    return openai_strict(body)


def gemini(body):
    if body.get("tools") and body.get("response_format"):
        message = "Function calling with a response mime type: 'application/json' is unsupported"
        return 400, [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]
    for _, node in nodes(schema_of(body) or {}):
        message = None
        if any(not isinstance(choice, str) for choice in node.get("enum", ())):
            message = "GenerateContentRequest.generation_config.response_schema.properties[score].enum: only allowed for STRING type"
        elif unknown := {"additionalProperties", "$ref", "$defs", "const", "title", "default"} & node.keys():
            where = f"\"{sorted(unknown)[0]}\" at 'generation_config.response_schema'"
            message = f"Invalid JSON payload received. Unknown name {where}: Cannot find field."
        if message:
            return 400, [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]
    return None


def gemini_vague(body):
    if gemini(body):
        return 400, [{"error": {"code": 400, "message": "Request contains an invalid argument.", "status": "INVALID_ARGUMENT"}}]
    return None


def gemini_gemma(body):
    if body["messages"][0]["role"] == "system":
        message = "Developer instruction is not enabled for models/gemma-3-27b-it"
        return 400, [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]
    return None


def vllm_gemma(body):
    if body["messages"][0]["role"] == "system":
        return 400, {"object": "error", "message": "System role not supported", "type": "BadRequestError", "param": None, "code": 400}
    return None


def llama_cpp_gemma(body):
    if body["messages"][0]["role"] == "system":
        message = "Jinja Exception: Conversation roles must alternate user/assistant/user/assistant/..."
        return 500, {"error": {"code": 500, "message": message, "type": "server_error"}}
    return None


def lm_studio(body):
    format_ = (body.get("response_format") or {}).get("type")
    if format_ not in (None, "json_schema", "text"):
        return 400, {"error": "'response_format.type' must be 'json_schema' or 'text'"}
    if isinstance(body.get("tool_choice"), dict):
        return 400, {"error": "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"}
    return None


def lm_studio_without_grammar(body):
    if (body.get("response_format") or {}).get("type") == "json_schema":
        return 400, {"error": "Structured output (json_schema) is not supported by this engine"}
    return lm_studio(body)


def deepseek(body):
    format_ = (body.get("response_format") or {}).get("type")
    if format_ == "json_schema":
        return _error("This response_format type is unavailable now", type="invalid_request_error", code="invalid_request_error")
    if format_ == "json_object" and "json" not in json.dumps(body["messages"]).lower():
        return _error("Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.")
    return None


def _tools_only(body):
    if body.get("response_format"):
        return _error("response_format is not supported by this model")
    return None


def vllm_old(body):
    if body.get("tools") and not isinstance(body["tool_choice"], dict):
        return _error('`tool_choice` must either be a named tool, "auto", or "none".', object="error", code=400)
    return _tools_only(body)


def thinking(body):
    if body.get("tools") and body["tool_choice"] != "auto":
        return _error("The tool_choice parameter does not support being set to required or object in thinking mode")
    return _tools_only(body)


def mistral(body):
    if body.get("tools") and "strict" in body["tools"][0]["function"]:
        where = ["body", "tools", 0, "function", "strict"]
        return 422, {"object": "error", "detail": [{"type": "extra_forbidden", "loc": where, "msg": "Extra inputs are not permitted"}]}
    return _tools_only(body)


def no_detail(body):
    if '"detail"' in json.dumps(body["messages"]):
        return _error("Unknown parameter: 'messages[1].content[0].image_url.detail'.", code="unknown_parameter")
    return None


def ollama_without_tools(body):
    if body.get("tools"):
        return _error("registry.ollama.ai/library/gemma does not support tools", type="api_error")
    return _tools_only(body)


def xgrammar(body):
    for _, node in nodes(schema_of(body) or {}):
        if node.keys() & {"minimum", "maximum"}:
            message = "The provided JSON schema contains features not supported by xgrammar."
            return 400, {"object": "error", "message": message, "type": "BadRequestError", "code": 400}
    return None


def groq(body):
    """One row's output never passes its validation of JSON."""
    if body.get("response_format") and "question 3" in json.dumps(body["messages"]):
        message = "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details."
        return _error(message, type="invalid_request_error", code="json_validate_failed", failed_generation='{"answer": ')
    return openai_strict(body)


def llama_cpp_cut(body):
    if body.get("response_format") and "question 3" in json.dumps(body["messages"]):
        message = "The model produced output that does not match the expected peg-native format"
        return 500, {"error": {"code": 500, "message": message, "type": "server_error"}}
    return None


REJECTS = {
    rule.__name__: rule
    for rule in (
        openai_strict, openai_reasoning, o1_mini, azure, gemini, gemini_vague, gemini_gemma, vllm_gemma, llama_cpp_gemma, lm_studio,
        lm_studio_without_grammar, deepseek, vllm_old, thinking, mistral, no_detail, ollama_without_tools, xgrammar, groq, llama_cpp_cut,
    )
}  # fmt: skip


def _says(message: dict, finish: str = "stop") -> dict:
    return {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}


def _envelope(text: str, key: str = "arguments") -> str:
    return json.dumps({"name": "Reply", key: json.loads(text)})


DRAFT = '{"answer": "draft", "score": 1, "share": 0.5, "inner": {"note": "draft", "more": null}}'
SHAPES = {
    "fenced": lambda text: _says({"content": f"Here you are:\n```json\n{text}\n```\nAnything else?"}),
    "parts": lambda text: _says({"content": [{"type": "thinking", "thinking": [{"text": DRAFT}]}, {"type": "text", "text": text}]}),
    "think": lambda text: _says({"content": f"<think>Maybe {DRAFT}?\n</think>\n\n{text}"}),
    "think_unopened": lambda text: _says({"content": f"Maybe {DRAFT}?\n</think>\n\n{text}"}),
    "magistral": lambda text: _says({"content": f"[THINK]Maybe {DRAFT}?[/THINK]{text}"}),
    "harmony": lambda text: _says({"content": f"<|channel|>analysis<|message|>{DRAFT}<|end|><|channel|>final<|message|>{text}"}),
    "only_reasoning": lambda text: _says({"content": None, "reasoning_content": text}),
    "arguments_parsed": lambda text: _says({"content": "", "tool_calls": [{"function": {"name": "Reply", "arguments": json.loads(text)}}]}),
    "function_call": lambda text: _says({"content": None, "function_call": {"name": "Reply", "arguments": text}}),
    "hermes": lambda text: _says({"content": f"<tool_call>\n{_envelope(text)}\n</tool_call>"}),
    "mistral_text": lambda text: _says({"content": f"[TOOL_CALLS][{_envelope(text)}]"}),
    "llama_text": lambda text: _says({"content": f"<|python_tag|>{_envelope(text, 'parameters')}"}),
    "finish_tool_calls": lambda text: _says({"tool_calls": [{"function": {"name": "Reply", "arguments": text}}]}, "tool_calls"),
}


def _gemini_quota(period: str, retry: str):
    message = (
        "You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: "
        f"generate_content_free_tier_requests, limit: 15\n{retry}"
    )
    details = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": f"GenerateRequestsPer{period}PerProject"}]}
    ]
    return [{"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}}]


_TPM = (
    "Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29500, Requested 900. Please try "
    "again in 150ms. You can increase your rate limit by adding a payment method to your account at https://platform.openai.com/account/billing."
)
_RPD = "Rate limit reached for gpt-4o on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s."
_FILTERED = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
_FLAGGED = 'anthropic/claude-4 requires moderation on OpenRouter. Your input was flagged for "violence".'
_SMALL = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
# name: (status, headers, body, what comes of it: a cause that stops the job, "row: ..." or "refused: ...", or "retried")
FAILS = {
    "openai_tpm": (429, {}, {"error": {"message": _TPM, "type": "tokens", "code": "rate_limit_exceeded"}}, "retried"),
    "openai_rpd": (429, {}, {"error": {"message": _RPD, "type": "requests", "code": "rate_limit_exceeded"}}, "quota exhausted: .* per day"),
    "openai_request_too_large": (
        429, {}, {"error": {"message": "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000.",
                            "code": "rate_limit_exceeded"}}, "row: HTTP 429: Request too large"),
    "gemini_per_minute": (429, {}, _gemini_quota("Minute", "Please retry in 0.2s."), "retried"),
    "gemini_per_day": (429, {}, _gemini_quota("Day", "Please retry in 32.2s."), "quota exhausted"),
    "gemini_bad_key": (
        400, {}, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT"}}],
        "HTTP 400: API key not valid.*OPENAI_API_KEY is neither"),
    "long_retry_after": (429, {"Retry-After": "7200"}, {"error": {"message": "Too many requests"}}, "quota exhausted: .* wait 120 minutes"),
    "openrouter_no_credit": (402, {}, {"error": {"code": 402, "message": "Insufficient credits"}}, "quota exhausted"),
    "openrouter_key_limit": (403, {}, {"error": {"code": 403, "message": "Key limit exceeded (total limit)"}}, "quota exhausted"),
    "openrouter_moderation": (
        403, {}, {"error": {"code": 403, "message": _FLAGGED, "metadata": {"reasons": ["violence"]}}}, "refused: HTTP 403"),
    "openrouter_upstream": (
        200, {}, {"choices": [{"error": {"code": 502, "message": "Failed"}, "finish_reason": "error", "message": {"content": ""}}]},
        "retried"),
    "anthropic_low_credit": (
        400, {}, {"error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the Anthropic API."}},
        "quota exhausted"),
    "anthropic_overloaded": (529, {}, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "retried"),
    "anthropic_filtered": (400, {}, {"error": {"message": "Output blocked by content filtering policy"}}, "refused: HTTP 400"),
    "azure_filtered": (
        400, {}, {"error": {"message": _FILTERED, "code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        "refused: HTTP 400"),
    "openai_policy": (
        400, {}, {"error": {"message": "Your request was rejected by our safety system.", "code": "content_policy_violation"}},
        "refused: HTTP 400"),
    "vllm_context": (400, {}, {"object": "error", "message": _SMALL, "code": 400}, "row: HTTP 400: This model's maximum context"),
    "llama_cpp_context": (
        400, {}, {"error": {"code": 400, "message": "request (9051 tokens) exceeds the available context size (4096 tokens)",
                            "type": "exceed_context_size_error"}}, "row: HTTP 400: request"),
    "llama_cpp_blind": (
        500, {}, {"error": {"code": 500, "message": "image input is not supported - hint: you may need to provide the mmproj"}},
        "row: HTTP 500: image input is not supported"),
    "vllm_images": (
        400, {}, {"message": "At most 1 image(s) may be provided in one prompt.", "code": 400}, "row: HTTP 400: At most 1 image"),
    "anthropic_image": (
        400, {}, {"error": {"message": "messages.0.content.0.image.source.base64: image exceeds 5 MB maximum: 6 MB > 5 MB"}},
        "row: HTTP 400: .* exceeds 5 MB"),
    "too_large": (413, {}, {"error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}}, "row: HTTP 413"),
    "cloudflare": (520, {}, "<html><title>520: Web server is returning an unknown error</title></html>", "retried"),
    "loading": (503, {"Retry-After": "0"}, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, "retried"),
}  # fmt: skip


class Window:
    """A limit per window that all calls share: `kind` "bit by bit" refills as OpenAI's does, "at once" at the window's end."""

    def __init__(self, limit: int, seconds: float, kind: str):
        self.limit, self.seconds, self.kind = limit, seconds, kind
        self.left, self.at, self.refused = float(limit), time.monotonic(), 0

    def take(self) -> tuple[bool, dict]:
        now = time.monotonic()
        if self.kind == "bit by bit":
            self.left = min(self.limit, self.left + (now - self.at) * self.limit / self.seconds)
            self.at = now
            full_in, one_in = (self.limit - self.left) / self.limit * self.seconds, self.seconds / self.limit
        else:
            if now - self.at >= self.seconds:
                self.left, self.at = float(self.limit), now
            full_in = one_in = self.seconds - (now - self.at)
        passed = self.left >= 1
        self.left -= passed
        self.refused += not passed
        headers = {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(int(self.left)),
            "x-ratelimit-reset-requests": f"{int(full_in * 1000)}ms",
        }
        return passed, headers if passed else headers | {"retry-after-ms": str(int(one_in * 1000) + 1)}

"""What the fuzzer must know beside the OpenAPI document."""

import itertools
import os
from typing import Any

import schemathesis
from requests.adapters import HTTPAdapter
from schemathesis.specs.openapi.checks import positive_data_acceptance

CALLER = os.environ["FUZZ_CALLER"]

# Refusals of requests that are as the document says. No schema can say what they go by.
UNSAYABLE = {
    "inconsistent-request": "OpenAPI 3.1 cannot say that one parameter excludes or needs another",
    "filter-too-wide": "likewise: what is too much to answer",
    "invalid-cursor": "only the service makes cursors; each is sealed",
    "as-of-out-of-range": "the ledger's length and its first entry decide it",
    "time-out-of-range": "a pattern cannot say the years 2000 to 2100 of every form of a time",
    "time-not-future": "the clock decides it",
    "time-not-past": "the clock decides it",
    "confirmation-required": "how many users and tokens there are decides it",
    "invalid-bound": "which issuers, resources and sources are registered decides it",
    "invalid-jwks": "whether numbers are a key is arithmetic",
    "token-in-request": "what a token looks like is more than a pattern",
    "invalid-data": "the data of an event has a schema for each type, at /schemas, which the schema of all events cannot hold",
    "malformed-json": "what `data_base64` decodes to",
    "nul": "a SCIM User and an event hold members of any shape, and no schema reaches every text in them",
    "idempotency-key-reused": "what was sent before decides it",
    "invalid_client": "which keys exist is no part of an interface",
}

# Their lines are no JSON values, so JSON Schema says nothing about them.
LINES = ("text/csv", "application/x-ndjson")

ADDRESSES = itertools.count(1)


def add_address(self: HTTPAdapter, request: Any, **kwargs: Any) -> None:
    """Each request has an address of its own: failed authentications are counted by address, and many are tried."""
    number = next(ADDRESSES)
    request.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


# A hook of the fuzzer would change the case, which it then takes for another one.
HTTPAdapter.add_headers = add_address  # type: ignore[method-assign]


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Keeps the fuzzer from disabling its own caller, whose id it reads in the list of callers."""
    if case.path_parameters and case.path_parameters.get("id") == CALLER:
        case.path_parameters["id"] = "nobody"


@schemathesis.serializer("application/x-ndjson", "text/csv")
def text(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def code_of(response: Any) -> str | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body.get("code", body.get("error")) if isinstance(body, dict) else None


def is_unsayable(response: Any, case: Any) -> bool:
    code = code_of(response)
    if response.status_code not in (400, 422):
        return False
    if code == "invalid_request" and isinstance(case.body, dict) and case.body.get("client_secret"):
        # A client authenticates in one way (RFC 6749, section 2.3), and the fuzzer has sent `Authorization`.
        return True
    return code in UNSAYABLE or case.media_type in LINES


@schemathesis.check
def documented_data_acceptance(ctx: Any, response: Any, case: Any) -> bool | None:
    """`positive_data_acceptance`, which judges by the status alone; here a refusal may have a code that no schema can say."""
    return None if is_unsayable(response, case) else positive_data_acceptance(ctx, response, case)

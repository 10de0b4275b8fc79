"""HTTP read otherwise than meant: addresses, headers, versions, bodies that come in an odd way."""

from __future__ import annotations

import gzip

from scenario_tests.reported_faults.cases import Act, Room
from scenario_tests.reported_faults.place import JSON, Place

HTTP = Room()
BODY = b'{"metadata":{"a":1}}'
UNKNOWN = "/shop/session/clk_unknown"


def opening(body: bytes, *headers: str) -> Act:
    """The backend opens a session with these bytes and headers."""
    return lambda place: place.send("POST", "/shop/session", body, *headers)


def reading(path: str) -> Act:
    return lambda place: place.short("GET", path)


def announced(*headers: str) -> Act:
    """The client asks whether its body is wanted: the first answer, and whether the connection ends with it."""

    def act(place: Place) -> object:
        with place.wire() as wire:
            heard = wire.asks("POST", "/shop/session", place.bearer, "Expect: 100-continue", *headers).hears()
            return heard.short, heard.headers.get("connection")

    return act


# --- addresses --------------------------------------------------------------------------------------------------------

HTTP.row(
    1,
    "a trailing slash leads nowhere, and not to another address",
    "starlette 2748",
    reading("/shop/products/"),
    "404 not_found",
)
HTTP.row(
    2,
    "a POST to a trailing slash does nothing",
    "starlette 464, cherrypy 1185",
    lambda place: place.short("POST", "/shop/session/", {}),
    "404 not_found",
)
HTTP.row(3, "two slashes are not one", "JavaScriptSolidServer 131", reading("//shop/products"), "404 not_found")
HTTP.row(
    4,
    "an encoded slash separates nothing",
    "starlette 826, uvicorn 261",
    lambda place: place.short("POST", f"/shop/carts/{place.opens().id}%2Forder"),
    "404 not_found",
)
HTTP.row(5, "an encoded backslash separates nothing", "falcon 897", reading("/shop%5Cproducts"), "404 not_found")
HTTP.row(6, "an encoded letter is that letter", "starlette 826", reading("/health/l%69ve"), "200")


@HTTP.case(7, "dots lead out of nothing", "mojo 1198", ("404 not_found", "404 not_found", "404 not_found"))
def dots(place: Place) -> object:
    paths = ("/shop/products/../../ops/clerks", "/shop/products/%2e%2e/%2e%2e/ops/clerks", "/shop/./products")
    return tuple(place.heard("GET", path, place.bearer).short for path in paths)


@HTTP.case(8, "a target in absolute form is read as its path", "cpython 132741, lightbug_http 134", ("200", "200"))
def absolute_form(place: Place) -> object:
    with place.wire("/shop/products") as wire:
        first = wire.asks("GET", f"http://{wire.host}/shop/products?limit=1").hears()
        return first.short, wire.asks("GET", f"HTTP://{wire.host}/health/live").hears().short


@HTTP.case(9, "addresses in answers come from nobody's Host", "starlette 2748, eneo 871", "/shop/session/clk_")
def host_of_somebody_else(place: Place) -> object:
    with place.wire() as wire:
        said = (
            f"POST /shop/session HTTP/1.1\r\nHost: evil.test\r\nX-Forwarded-Host: evil.test\r\n{place.bearer}\r\n\r\n"
        )
        heard = wire.says(said.encode()).hears()
        assert b"evil.test" not in heard.body
        return heard.headers["location"][:18]


HTTP.row(
    10,
    "a parameter that comes twice is refused",
    "technocore-chat 729, node-querystring 84",
    reading("/shop/session?limit=1&limit=2"),
    "422 invalid_request",
)
HTTP.row(
    11,
    "a misspelled filter does not answer with everything",
    "node-querystring 84",
    reading("/shop/session?costumer=ada"),
    "422 invalid_request",
)
HTTP.row(
    12,
    "a number is written in ASCII digits, within its bounds",
    "api-pgd 156",
    lambda place: {
        place.short("GET", f"/shop/session?limit={limit}")
        for limit in ("0", "-1", "201", "1e2", "%D9%A5", "1.5", "", "9" * 30)
    },
    {"422 invalid_request"},
)
HTTP.row(
    13, "a probe may ask whether one lives with whatever it adds", "uvicorn 1332", reading("/health/live?at=1"), "200"
)

# --- versions of HTTP, and connections --------------------------------------------------------------------------------


@HTTP.case(20, "HTTP/1.0 gets a length, no chunks, and the end", "uvicorn 1360, 3103", ("200", False, True))
def http_1_0(place: Place) -> object:
    with place.wire("/shop/products") as wire:
        heard = wire.asks("GET", "/shop/products", "Connection: keep-alive", version="1.0").hears()
        return heard.short, "transfer-encoding" in heard.headers, wire.is_closed()


@HTTP.case(21, "an event stream over HTTP/1.0 has no chunks", "uvicorn 1360", (200, False, b"retry: 2000\n\nid: "))
def stream_over_http_1_0(place: Place) -> object:
    with place.wire() as wire:
        path = f"/shop/session/{place.opens().id}/events"
        heard = wire.asks("GET", path, place.bearer, version="1.0").hears(head=True)
        return heard.status, "transfer-encoding" in heard.headers, wire.hears_until(b"id: ")


@HTTP.case(
    22,
    "requests in one packet are answered in their order",
    "uvicorn 344, 2243",
    ("404 not_found", "200", "422 invalid_json"),
)
def pipelined(place: Place) -> object:
    with place.wire() as wire:
        for method, path, body in (
            ("GET", UNKNOWN, b""),
            ("GET", "/health/live", b""),
            ("POST", "/shop/session", b"{"),
        ):
            wire.asks(method, path, place.bearer, body=body)
        return tuple(wire.hears().short for _ in range(3))


@HTTP.case(23, "a pipelined read sees what the write before it did", "uvicorn 2243", ("200", "Ada the Second"))
def pipelined_write(place: Place) -> object:
    path = f"/shop/customers/{place.name('ada')}"
    with place.wire() as wire:
        wire.asks("PUT", path, place.bearer, JSON, body=b'{"name":"Ada the Second"}').asks("GET", path, place.bearer)
        return wire.hears().short, wire.hears().json["name"]


@HTTP.case(24, "nothing is answered after the client's last request", "uvicorn 2238", ("200", True))
def after_the_last(place: Place) -> object:
    with place.wire() as wire:
        wire.asks("GET", "/health/live", "Connection: close").asks("GET", "/health/live")
        return wire.hears().short, wire.is_closed()


@HTTP.case(
    25, "an error leaves the connection open", "uvicorn 344", ("404 not_found", "415 unsupported_media_type", "200")
)
def errors_keep_the_connection(place: Place) -> object:
    with place.wire() as wire:
        first = wire.asks("GET", UNKNOWN, place.bearer).hears().short
        second = wire.asks("POST", "/shop/session", "Content-Type: text/plain", body=b"hello").hears().short
        return first, second, wire.asks("GET", "/health/live").hears().short


@HTTP.case(26, "a wanted body is asked for, once", "uvicorn 88 and 250, astra 18", (100, "201"))
def expect(place: Place) -> object:
    with place.wire() as wire:
        lines = (place.bearer, JSON, "Expect: 100-continue", f"Content-Length: {len(BODY)}")
        return wire.asks("POST", "/shop/session", *lines).hears().status, wire.says(BODY).hears().short


HTTP.row(
    27,
    "a body that is too large is refused before it is sent",
    "undici 5465",
    announced(JSON, "Content-Length: 99999999"),
    ("413 body_too_large", "close"),
)
HTTP.row(
    28,
    "a body of the wrong type is refused before it is sent",
    "undici 5465",
    announced("Content-Type: text/plain", "Content-Length: 9"),
    ("415 unsupported_media_type", "close"),
)

# --- bodies -----------------------------------------------------------------------------------------------------------

HTTP.row(
    30,
    "a compressed body is of the wrong type, not broken JSON",
    "harper 1438, litellm 41567",
    opening(gzip.compress(BODY), JSON, "Content-Encoding: gzip"),
    "415 unsupported_media_type",
)
HTTP.row(
    31,
    "a body that only says it is compressed is not taken",
    "harper 1438",
    opening(BODY, JSON, "Content-Encoding: br"),
    "415 unsupported_media_type",
)
HTTP.row(32, "identity is no compression", "9router 2669", opening(BODY, JSON, "Content-Encoding: identity"), "201")
HTTP.row(
    33,
    "two types are none",
    "vert.x 2316",
    opening(BODY, JSON, "Content-Type: text/plain"),
    "415 unsupported_media_type",
)
HTTP.row(
    34,
    "a charset beside the type is fine",
    "chalice 306, rabbitmq-management 703",
    opening(BODY, "content-type: Application/JSON;charset=UTF-8"),
    "201",
)
HTTP.row(35, "so is a kind of JSON", "smithy-rs 3471", opening(BODY, "Content-Type: application/vnd.api+json"), "201")
HTTP.row(36, "without a type it is JSON", "fastapi 453", opening(BODY), "201")
HTTP.row(
    37,
    "a byte order mark is no JSON",
    "nlohmann json 152, jq 45",
    opening(b"\xef\xbb\xbf" + BODY, JSON),
    "422 invalid_json",
)
HTTP.row(38, "UTF-16 is no JSON", "cpprestsdk 258", opening(BODY.decode().encode("utf-16"), JSON), "422 invalid_json")
HTTP.row(39, "a body of blanks is no JSON", "KiroCrew 5575", opening(b" \r\n", JSON), "422 invalid_json")
HTTP.row(40, "a list is no object", "KiroCrew 5575", opening(b"[]", JSON), "422 invalid_request")

# --- headers ----------------------------------------------------------------------------------------------------------

HTTP.row(
    50,
    "the scheme's case does not matter",
    "kubestellar console 7374, spring-security 6150",
    lambda place: place.heard("GET", "/keys/current", place.bearer.replace("Bearer", "bEARER")).short,
    "200",
)
HTTP.row(
    51,
    "two keys are none",
    "test-task2 73",
    lambda place: place.heard("GET", "/keys/current", place.bearer, place.bearer).short,
    "401 unauthorized",
)
HTTP.row(
    52,
    "two Idempotency-Keys are refused, also equal ones",
    "test-task2 73",
    opening(BODY, JSON, "Idempotency-Key: k-1", "Idempotency-Key: k-1"),
    "422 idempotency_key_invalid",
)
HTTP.row(
    53,
    "a 401 says how to come in",
    "open-connector 188",
    lambda place: place.ask("GET", "/keys/current", key="").headers["www-authenticate"].split()[0],
    "Bearer",
)
HTTP.row(
    54,
    "a 405 names every method there is",
    "starlette 1436, litestar 4277",
    lambda place: {"GET", "POST"} - allowed(place, "/shop/session") or "none is missing",
    "none is missing",
)
HTTP.row(
    55,
    "no header makes another method of it",
    "echoCTF 431, union 4962",
    lambda place: place.short("GET", "/shop/products", headers={"X-HTTP-Method-Override": "PUT"}),
    "200",
)


@HTTP.case(58, "HEAD is a GET without its body", "fastapi 1773", ("200", True, b""))
def head(place: Place) -> object:
    with place.wire("/shop/products") as wire:
        heard = wire.asks("HEAD", "/shop/products").hears(head=True)
        after = wire.asks("GET", "/health/live").hears()
        return f"{heard.status}", after.short == "200" and int(heard.headers["content-length"]) > 2, heard.body


def allowed(place: Place, path: str) -> set[str]:
    return {method.strip() for method in place.ask("DELETE", path).headers["allow"].split(",")}

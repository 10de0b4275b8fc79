"""Who may what: every route, every kind of principal, and the response (docs/design/security.md S1).

A route that is not here fails the test. A row is: service, method, path, what is sent (`-` nothing), and for each
column `in`, or the status of the refusal; `login` is being led to the login page,
`password` to the one that changes the password.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class RouteRow(NamedTuple):
    service: str
    method: str
    path: str
    body: str | None
    cells: dict[str, str]


# `own` and `ended` ask for their own session (which has ended for the latter), `other` has another session's secret;
# `useless`: keys that are unknown, revoked, wrong, of somebody disabled, of another service only, or malformed.
API = """
                                                                    nobody own ended other server warehouse viewer support operator admin monitoring useless

shop_manager POST   /shop/session                       nothing     in     in  in    in    in     in        in     in      in       in    403        401
shop_manager POST   /shop/session                       for_ada     401    403 403   403   in     403       403    403     403      403   403        401
shop_manager GET    /shop/session                       -           401    403 403   403   in     403       403    403     403      403   403        401
shop_manager GET    /shop/session/{session}             -           401    in  in    404   in     403       in     in      in       in    403        401
shop_manager GET    /shop/session/{session}/events      -           401    in  in    404   in     403       in     in      in       in    403        401
shop_manager POST   /shop/session/{session}/events/ticket -          401    in  in    404   in     403       in     in      in       in    403        401
shop_manager GET    /shop/session/{session}/clerk       -           401    403 403   403   in     403       in     in      in       in    403        401
shop_manager PATCH  /shop/session/{session}             amendment   401    in  in    404   in     403       403    403     403      403   403        401
shop_manager POST   /shop/session/{session}/cancel      -           401    in  in    404   in     403       403    403     403      403   403        401
shop_manager POST   /shop/session/{session}/expire      -           401    403 403   403   in     403       403    403     403      403   403        401
shop_manager GET    /shop/customers/{customer}          -           401    403 403   403   in     403       403    403     403      403   403        401
shop_manager PUT    /shop/customers/{customer}          customer    401    403 403   403   in     403       403    403     403      403   403        401
shop_manager GET    /shop/shops/{shop}                  -           401    403 403   403   in     403       403    403     403      403   403        401
shop_manager PUT    /shop/shops/{shop}                  shop        401    403 403   403   in     403       403    403     403      403   403        401

shop_manager GET    /keys/current                       -           401    403 403   403   in     in        in     in      in       in    in         401

shop_manager GET    /ops/summary                        -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/figures                        -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/events                         -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/checks                         -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/search                         ?search     401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/clerks                         -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/clerks.csv                     -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/clerks.json                    -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/clerks/{clerk}                 -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/customers/{customer}           -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/clerks/{clerk}/timeline        -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/clerks/{clerk}/messages        -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/parked                         -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/parked/causes                  -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/parked/{parked}                -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/processes                      -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/processes/chosen               ?chosen     401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/activity                       -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/activity/hours                 -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/audit                          -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager POST   /ops/clerks/{clerk}/actions         note        401    403 403   403   403    403       403    in      in       in    403        401
shop_manager POST   /ops/clerks/{clerk}/actions         retry       401    403 403   403   403    403       403    403     in       in    403        401
shop_manager POST   /ops/clerks/{clerk}/claim           release     401    403 403   403   403    403       403    403     in       in    403        401
shop_manager POST   /ops/parked/{parked}/actions        discard     401    403 403   403   403    403       403    403     in       in    403        401
shop_manager GET    /ops/bulk                           -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/bulk/{name}                    -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager POST   /ops/bulk                           bulk        401    403 403   403   403    403       403    403     403      in    403        401
shop_manager POST   /ops/bulk/{name}/start              pace        401    403 403   403   403    403       403    403     403      in    403        401
shop_manager POST   /ops/bulk/{name}/stop               -           401    403 403   403   403    403       403    403     403      in    403        401
shop_manager GET    /ops/people                         -           401    403 403   403   403    403       403    403     403      in    403        401
shop_manager POST   /ops/people                         person      401    403 403   403   403    403       403    403     403      in    403        401
shop_manager POST   /ops/people/{name}/actions          role        401    403 403   403   403    403       403    403     403      in    403        401
shop_manager GET    /ops/keys                           -           401    403 403   403   403    403       403    403     403      in    403        401
shop_manager POST   /ops/keys                           key         401    403 403   403   403    403       403    403     403      in    403        401
shop_manager POST   /ops/keys/{key}/actions             revoke      401    403 403   403   403    403       403    403     403      in    403        401
shop_manager GET    /ops/alerts                         -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/alerts/channels                -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager POST   /ops/alerts/test                    -           401    403 403   403   403    403       403    403     403      in    403        401
shop_manager POST   /ops/alerts/{alert}/again           -           401    403 403   403   403    403       403    403     403      in    403        401
shop_manager GET    /ops/runbooks                       -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager POST   /ops/runbooks                       runbook     401    403 403   403   403    403       403    403     in       in    403        401
shop_manager POST   /ops/forget                         forget      401    403 403   403   403    403       403    403     403      in    403        401
shop_manager GET    /ops/mentions                       -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager GET    /ops/views                          -           401    403 403   403   403    403       in     in      in       in    403        401
shop_manager POST   /ops/views                          view        401    403 403   403   403    403       in     in      in       in    403        401
shop_manager DELETE /ops/views/{name}                   -           401    403 403   403   403    403       in     in      in       in    403        401

shop         GET    /shop/products                      -           in     in  in    in    in     in        in     in      in       in    in         in
shop         PUT    /shop/products/{sku}                product     401    403 403   403   in     403       403    403     403      403   403        401
shop         GET    /shop/carts/{session}               -           401    in  in    404   in     403       403    403     403      403   403        401
shop         PUT    /shop/carts/{session}/items/{sku}   quantity    401    in  in    404   in     403       403    403     403      403   403        401
shop         POST   /shop/carts/{session}/order         -           401    in  in    404   in     403       403    403     403      403   403        401

risk         GET    /risk/customers/{customer}          -           401    403 403   403   in     403       in     in      in       in    403        401
risk         PUT    /risk/customers/{customer}          limit       401    403 403   403   in     403       403    403     403      403   403        401

payment      GET    /payment/{session}                  -           401    in  in    404   in     403       403    403     403      403   403        401
payment      POST   /payment/{session}                  token       401    in  in    404   in     403       403    403     403      403   403        401
payment      POST   /payment/provider-events            notice      401    401 401   401   401    401       401    401     401      401   401        401

fulfillment  GET    /fulfillment/stock/{sku}            -           401    403 403   403   in     in        403    403     403      403   403        401
fulfillment  PUT    /fulfillment/stock/{sku}            on_hand     401    403 403   403   in     in        403    403     403      403   403        401
fulfillment  POST   /fulfillment/stock/{sku}/adjust     difference  401    403 403   403   in     in        403    403     403      403   403        401
fulfillment  GET    /fulfillment/shipments              -           401    403 403   403   403    in        403    403     403      403   403        401
fulfillment  GET    /fulfillment/{session}              -           401    in  in    404   in     in        403    403     403      403   403        401
fulfillment  POST   /fulfillment/{session}/ship         label       401    403 403   403   403    in        403    403     403      403   403        401

each         GET    /health/live                        -           in     in  in    in    in     in        in     in      in       in    in         in
each         GET    /health/ready                       -           in     in  in    in    in     in        in     in      in       in    in         401
each         GET    /metrics                            -           401    403 403   403   in     in        in     in      in       in    in         401
each         GET    /openapi.json                       -           in     in  in    in    in     in        in     in      in       in    in         in
each         GET    /docs                               -           in     in  in    in    in     in        in     in      in       in    in         in
each         GET    /docs/errors                        -           in     in  in    in    in     in        in     in      in       in    in         in
each         GET    /docs/assets/{name}                 -           in     in  in    in    in     in        in     in      in       in    in         in
"""  # noqa: E501  # a table is read across
"""`each` is a route that every service has."""

# `key` is an admin's key without a cookie, `unknown` an invented cookie, `over` a login that has ended, `gone` that of
# somebody disabled since; `forged` is an admin with another's form token, `elsewhere` one with another page's form;
# `first` is somebody who has to choose a password of their own: each page leads to the one that changes it.
# No OpenID provider is set here.
DASHBOARD = """
                                                                       nobody key   unknown over  gone  viewer support operator admin forged elsewhere first

shop_manager GET    /dashboard/static/{name}               -           in     in    in      in    in    in     in      in       in    in     in              in
shop_manager GET    /dashboard/login                       -           in     in    in      in    in    in     in      in       in    in     in              in
shop_manager GET    /dashboard/login/oidc                   -           404    404   404     404   404   404    404     404      404   404    404            404
shop_manager GET    /dashboard/login/oidc/callback          -           404    404   404     404   404   404    404     404      404   404    404            404
shop_manager POST   /dashboard/login                       -           401    401   401     401   401   in     in      in       in    in     403             in
shop_manager POST   /dashboard/login/oidc                  -           404    404   404     404   404   404    404     404      404   404    404            404
shop_manager GET    /dashboard/logout                      -           login  login login   login login login  login   login    login login  login           login
shop_manager POST   /dashboard/logout                      -           login  login login   login login login  login   login    login login  403             login
shop_manager GET    /dashboard                             -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/                            -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/live                        -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/clerks                      -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/clerks.csv                  -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/clerks.json                 -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/find                        -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/find/hits                   -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/named                       -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/customers/{customer}        -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/clerks/{clerk}              -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/parked                      -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/parked/{parked}             -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/processes                   -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/figures                     -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/bulk                        -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/bulk/{bulk}                 -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/activity                    -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/audit                       -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/checks                      -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/alerts                      -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/runbooks                    -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/help                        -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/keys                        -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/settings                    -           login  login login   login login in     in      in       in    in     in              password
shop_manager POST   /dashboard/settings                    clock       login  login login   login login in     in      in       in    403    403             password
shop_manager GET    /dashboard/password                    -           login  login login   login login in     in      in       in    in     in          in
shop_manager POST   /dashboard/password                    change      login  login login   login login in     in      in       in    403    403         in
shop_manager GET    /dashboard/people                      -           login  login login   login login 403    403     403      in    in     in              password
shop_manager GET    /dashboard/views                       -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/views/remove                -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/clerks/{clerk}/actions      -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/clerks/{clerk}/claim        -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/customers/{customer}/forget -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/parked/actions              -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/parked/{parked}/actions     -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/bulk/{bulk}/{move}          -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/alerts/test                 -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/alerts/{alert}/again        -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/people/{name}/actions       -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/people/keys                 -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/people/keys/{key}/actions   -           login  login login   login login in     in      in       in    in     in              password
shop_manager GET    /dashboard/{rest:path}                 -           login  login login   login login 404    404     404      404   404    404             password
shop_manager POST   /dashboard/views                       view        login  login login   login login in     in      in       in    403    403             password
shop_manager POST   /dashboard/views/remove                view        login  login login   login login in     in      in       in    403    403             password
shop_manager POST   /dashboard/clerks/{clerk}/actions      note        login  login login   login login 403    in      in       in    403    403             password
shop_manager POST   /dashboard/clerks/{clerk}/actions      retry       login  login login   login login 403    403     in       in    403    403             password
shop_manager POST   /dashboard/clerks/{clerk}/claim        release     login  login login   login login 403    403     in       in    403    403             password
shop_manager POST   /dashboard/customers/{customer}/forget because     login  login login   login login 403    403     403      in    403    403             password
shop_manager POST   /dashboard/parked/actions              pick        login  login login   login login 403    403     in       in    403    403             password
shop_manager POST   /dashboard/parked/{parked}/actions     discard     login  login login   login login 403    403     in       in    403    403             password
shop_manager POST   /dashboard/bulk                        bulk        login  login login   login login 403    403     403      in    403    403             password
shop_manager POST   /dashboard/bulk/{bulk}/{move}          -           login  login login   login login 403    403     403      in    403    403             password
shop_manager POST   /dashboard/alerts/test                 -           login  login login   login login 403    403     403      in    403    403             password
shop_manager POST   /dashboard/alerts/{alert}/again        -           login  login login   login login 403    403     403      in    403    403             password
shop_manager POST   /dashboard/runbooks                    runbook     login  login login   login login 403    403     in      in    403    403             password
shop_manager POST   /dashboard/people                      person      login  login login   login login 403    403     403      in    403    403             password
shop_manager POST   /dashboard/people/{name}/actions       role        login  login login   login login 403    403     403      in    403    403             password
shop_manager POST   /dashboard/people/keys                 key         login  login login   login login 403    403     403      in    403    403             password
shop_manager POST   /dashboard/people/keys/{key}/actions   revoke      login  login login   login login 403    403     403      in    403    403             password
"""  # noqa: E501  # as above

PASSED_ON_BY_GATEWAY = {
    "shop": ("/shop/products", "/shop/products/{rest:path}", "/shop/carts", "/shop/carts/{rest:path}"),
    "risk": ("/risk", "/risk/{rest:path}"),
    "payment": ("/payment", "/payment/{rest:path}"),
    "fulfillment": ("/fulfillment", "/fulfillment/{rest:path}"),
}
"""What the gateway passes on, with any method: there the rows of the service hold."""

UP_ALONE = {("POST", "/dev/faults"), ("GET", "/dev/faults"), ("DELETE", "/dev/faults")}
"""What only `clerk up --faults` has: for whoever is on this machine, with any key or none (docs/decisions/020)."""

BECAUSE = {"reason": "asked by a test"}
BODIES: dict[str, Any] = {
    "nothing": {},
    "for_ada": {"customer": "ada"},
    "amendment": {"metadata": {"seen": True}},
    "customer": {"name": "Ada"},
    "shop": {"name": "Squeaky Toys", "type": "physical"},
    "note": {"action": "note", **BECAUSE},
    "retry": {"action": "retry", **BECAUSE},
    "release": {"action": "release"},
    "discard": {"action": "discard", **BECAUSE},
    "bulk": {"action": "note", "filter": {}, **BECAUSE},
    "pace": {"per_minute": 1},
    "person": {"name": "newcomer", "role": "viewer", **BECAUSE},
    "role": {"action": "role", "role": "operator", **BECAUSE},
    "key": {"scope": "warehouse", "name": "spare", **BECAUSE},
    "revoke": {"action": "revoke", **BECAUSE},
    "view": {"name": "mine", "query": "stuck=yes"},
    "runbook": {"service": "payment", "link": "https://wiki.example/payment", **BECAUSE},
    "forget": {"customer": "nobody", **BECAUSE},
    "product": {"name": "Squeaky bone", "unit_amount": 1295, "currency": "EUR", "kind": "physical"},
    "quantity": {"quantity": 1},
    "limit": {"limit": 100_000},
    "token": {"token": "tok_ok"},
    "notice": {"id": "evt_1", "type": "authorized", "key": "clk_1:payment:do"},
    "on_hand": {"on_hand": 100},
    "difference": {"delta": 1, "reason": "asked by a test", "reference": "note-1"},
    "label": {"carrier": "Dog Sled", "tracking": "1"},
}
QUERIES = {"?chosen": "?shop=squeaky-toys", "?search": "?q=ada"}
FORMS: dict[str, dict[str, Any]] = {
    "clock": {"clock": "utc"},
    "because": BECAUSE,
    **{name: BODIES[name] for name in ("person", "role", "key", "revoke", "view", "runbook")},
    "release": BODIES["release"],
    "note": {**BODIES["note"], "version": "1"},
    "retry": {**BODIES["retry"], "version": "1"},
    "discard": {**BODIES["discard"], "version": "1"},
    "pick": {**BODIES["discard"], "pick": "prk_unknown@1"},
    "bulk": {"action": "note", "stuck": "yes", **BECAUSE},
}


def rows_of(table: str) -> list[RouteRow]:
    """The rows of a table, with their cells by column. ValueError when one has too few or too many."""
    head, *rows = [line.split() for line in table.splitlines() if line.strip()]
    return [
        RouteRow(service, method, path, None if body == "-" else body, dict(zip(head, cells, strict=True)))
        for service, method, path, body, *cells in rows
    ]

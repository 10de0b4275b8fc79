"""Where traces are looked at: a template is taken only when each trace has an address of its own in it."""

from __future__ import annotations

import pytest

from domain.trace_urls import ALLOWED, check_trace_url, trace_link

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "template",
    [
        "https://jaeger.example/trace/{trace_id}",
        "http://localhost:16686/trace/{trace_id}",
        "https://grafana.example/explore?left=%7B%22query%22:%22{trace_id}%22%7D",
        "https://traces.example/#/{trace_id}",
    ],
)
def test_a_template_becomes_the_address_of_a_trace(template: str) -> None:
    found = trace_link(check_trace_url(template), TRACE)
    assert found == template.replace("{trace_id}", TRACE)


@pytest.mark.parametrize(
    "template",
    [
        "https://jaeger.example/trace/",
        "https://{trace_id}.example/",
        "https://jaeger.example{trace_id}",
        "ftp://jaeger.example/{trace_id}",
        "javascript:alert({trace_id})//",
        "jaeger.example/{trace_id}",
        "https://nora:secret@jaeger.example/{trace_id}",
        "https://jaeger.example/{trace_id}/{span_id}",
        "https://jaeger.example/{trace_id}/{trace_id}",
        'https://jaeger.example/"{trace_id}',
        "https://jaeger.example:99999/{trace_id}",
        "https://jäger.example/{trace_id}",
    ],
)
def test_any_other_is_refused_with_what_is_allowed(template: str) -> None:
    with pytest.raises(ValueError, match="allowed is https://NAME/PATH") as refused:
        check_trace_url(template)
    assert str(refused.value) == ALLOWED


def test_without_a_template_or_a_trace_there_is_no_link() -> None:
    assert trace_link("", TRACE) is None
    assert trace_link("https://jaeger.example/{trace_id}", None) is None

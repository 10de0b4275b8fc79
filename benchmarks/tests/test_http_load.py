"""What `wrk` prints is read, and what is no output of our script is refused."""

from __future__ import annotations

import pytest

from benchmarks.http_load import Load, read_wrk

PRINTED = """\
enough
Running 10m test @ http://127.0.0.1:1/shop/session
  1 threads and 64 connections
{"answered": 2001, "refused": 1, "failed": 2, "p50": 0.400000, "p99": 0.500000, "seconds": 12.500000}
"""


def test_the_figures_are_in_the_line_that_our_script_prints() -> None:
    assert read_wrk(PRINTED, 1.5) == Load("wrk", 2001, 1, 2, 0.4, 0.5, 12.5, 1.5)


def test_output_without_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="no figures: 'unable to connect"):
        read_wrk("unable to connect", 0.0)

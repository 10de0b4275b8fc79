"""What changed in the document, and the bytes of bad messages: as lines in which nothing acts."""

from __future__ import annotations

from shop_manager.dashboard.document_diff import changes_of, summary_of
from shop_manager.dashboard.hex_dump import bytes_of, hex_rows


def test_added_changed_and_removed_fields_are_told_with_both_values() -> None:
    found = changes_of(
        {
            "added": {"$.payment.reference": "pay_1"},
            "changed": {"$.credit.status": {"before": None, "after": "reserved"}},
            "removed": {"$.order.note": ["x"]},
        }
    )
    assert [(line.mark, line.field, line.before, line.after) for line in found] == [
        ("~", "$.credit.status", "null", '"reserved"'),
        ("−", "$.order.note", '["x"]', ""),
        ("+", "$.payment.reference", "", '"pay_1"'),
    ]
    assert summary_of(found) == "1 added, 1 changed, 1 removed"
    assert changes_of(None) == [] and summary_of([]) == ""


def test_bytes_are_shown_as_digits_with_points_for_what_ascii_cannot_show() -> None:
    body = bytes_of({"body": "AAECZv9nGw==", "encoding": "base64"})
    assert body == b"\x00\x01\x02f\xffg\x1b"
    [row] = hex_rows(body)
    assert row == ("000000", "00 01 02 66 ff 67 1b", "...f.g.")
    assert bytes_of({"body": "é", "encoding": "utf-8"}) == b"\xc3\xa9"


def test_only_the_beginning_of_a_long_body_is_shown_as_digits() -> None:
    rows = hex_rows(bytes(40), most=32)
    assert [row.offset for row in rows] == ["000000", "000010"]

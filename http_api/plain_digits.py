"""Texts as plain ASCII in which every script's digits are 0 to 9, for looking at numbers only. Pure.

What stands between two digits is kept as far as it matters: letters stay letters, punctuation and blanks stay
separators, and what nobody sees (soft hyphens, zero-width and combining marks) is DEL, which readers leave out.
"""

from __future__ import annotations

import binascii
import unicodedata
from collections.abc import Iterator
from functools import cache

INVISIBLE = "\x7f"
LETTER = "?"
"""What becomes of letters outside ASCII, and of all that is not known: no separator."""
_BY_KIND = {
    **dict.fromkeys(("Lo", "Lu", "Ll", "Lt", "Mc", "Nl", "Cn", "Co", "Cs"), LETTER),
    **dict.fromkeys(("Cf", "Mn", "Me"), INVISIBLE),
    **dict.fromkeys(("Zs", "Zl", "Zp", "Cc"), " "),
    "Pd": "-",
}
"""By Unicode's general category; characters of the others are looked at one by one."""
_SPECIAL = {**dict(zip("〇零一二三四五六七八九", "00123456789", strict=True)), "ー": "-", "\u2212": "-"}
_PLANES = 0x20000
"""Behind them there are only ideographs, and from _TAGS on invisible marks."""
_TAGS, _END = 0xE0000, 0xE1000
_LAYERS = 2
"""How often percent-encoding is taken off."""
_AS_QUOTED_PRINTABLE = bytes.maketrans(b"%=", b"=;")


def readings(text: str) -> Iterator[bytes]:
    """The text as it stands, and as it is without its percent-encoding, of which it may have two layers."""
    plain = _plain(text)
    yield plain
    for _ in range(_LAYERS):
        if b"%" not in plain:
            return
        plain = plain.replace(b"%1f", b" ").replace(b"%1F", b" ")  # it means the edge of a text (card_places.EDGE)
        decoded = binascii.a2b_qp(plain.translate(_AS_QUOTED_PRINTABLE))
        plain = decoded if decoded.isascii() else _plain(decoded.decode("utf-8", "replace"))
        yield plain


def _plain(text: str) -> bytes:
    return text.encode() if text.isascii() else text.translate(_table()).encode("ascii", "replace")


def _plain_character(character: str) -> str:
    """Of a number, a modified letter, punctuation or a symbol."""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", character).rstrip(".,")
    if len(folded) == 1 and folded.isascii():
        return folded
    return LETTER if unicodedata.category(character)[0] in "LN" else " "


@cache
def _table() -> str:
    """For `str.translate`: what each code point becomes. One string, so that looking up takes the same time for all."""
    kinds = map(unicodedata.category, map(chr, range(_PLANES)))
    table = [_BY_KIND.get(kind) or _plain_character(chr(place)) for place, kind in enumerate(kinds)]
    table[:128] = map(chr, range(128))
    for character, plain in _SPECIAL.items():
        table[ord(character)] = plain
    return "".join(table) + LETTER * (_TAGS - _PLANES) + INVISIBLE * (_END - _TAGS)

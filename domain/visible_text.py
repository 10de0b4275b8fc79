"""What of a text a person sees: characters without a shape of their own are named, and a text of only such is blank.

Direction marks, zero-width characters, line and paragraph separators and control characters can hide a text, turn it
around or make two names look alike (security S10). Pure.
"""

from __future__ import annotations

import re
import unicodedata

_RANGES = (
    "\x00-\x1f\x7f-\x9f",  # control characters; U+0085 is one
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f",
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc",
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff",  # halves of pairs, and what is no character
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff",
)
UNSEEN = re.compile(f"[{''.join(_RANGES)}]")
"""Controls, formats, separators and what Unicode calls ignorable. Signs that are formats and seen, as Arabic's, are
not among them."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_EMPTY = "\u2800"
"""Braille's blank: a sign without a dot, which belongs into a text in Braille."""
_LAYOUT = "\n\t"
_JOINERS = "\u200c\u200d"
_EMOJI_STYLES = "\ufe0e\ufe0f"
_JOINING_SCRIPTS = re.compile("[\u0600-\u06ff\u0700-\u0dff\u1000-\u109f\u1780-\u18af]")
"""Arabic to Malayalam, Burmese, Khmer, Mongolian: there a joiner changes how the letters beside it look."""
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")


def shown(text: str, *, keep: str = _LAYOUT) -> str:
    """`text` with `⟨U+200B⟩` in the place of such a character, except of those in `keep`.

    A joiner inside an emoji or between letters of a script that needs it stays, and so does an emoji's style.
    """
    if text.isascii() and text.isprintable():
        return text
    return UNSEEN.sub(lambda found: _named(text, found, keep), text)


def is_storable(text: str) -> bool:
    """Can every database keep it? PostgreSQL has no NUL in a text, and half a surrogate pair is no UTF-8."""
    return _UNSTORABLE.search(text) is None


def escaped(text: str, *, keep: str = "") -> str:
    """`text` for a log or a terminal: `\\x1b`, `\\u200b`, `\\U000e0041` for whatever acts there or is not seen."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one in keep or (one.isprintable() and not UNSEEN.match(one)) else _code(one) for one in text)


def is_blank(text: str) -> bool:
    """Is nothing to be seen? Then it has blanks, characters without a shape, and marks that no letter bears."""
    return not any(_has_shape(each) for each in text)


def comparison_key(name: str) -> str:
    """Two names with one key are one name: the case, the width and whatever is not seen do not count."""
    seen = "".join(each for each in unicodedata.normalize("NFKC", name) if not UNSEEN.match(each))
    return unicodedata.normalize("NFKC", "".join(seen.casefold().split()))


def _named(text: str, found: re.Match[str], keep: str) -> str:
    character = found.group()
    if character in keep or _belongs(text, found.start()):
        return character
    return f"⟨U+{ord(character):04X}⟩"


def _belongs(text: str, place: int) -> bool:
    """Does what stands there change how its neighbours look, as in 👩‍🚀, ❤️ or می‌خواهم?"""
    before, here, after = text[place - 1 : place], text[place], text[place + 1 : place + 2]
    if here in _EMOJI_STYLES:
        return _is_symbol(before) or after == "\u20e3"  # a keycap: 1️⃣
    if here not in _JOINERS:
        return False
    if _JOINING_SCRIPTS.match(before) and _JOINING_SCRIPTS.match(after):
        return True
    ends_emoji = _is_symbol(before) or before in _EMOJI_STYLES or _SKIN_TONES.match(before)
    return bool(before) and here == "\u200d" and bool(ends_emoji) and _is_symbol(after)


def _is_symbol(character: str) -> bool:
    return character != "" and not character.isascii() and unicodedata.category(character) in ("So", "Sm", "Po")


def _code(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _has_shape(character: str) -> bool:
    kind = unicodedata.category(character)[0]
    return kind in "LNPS" and character != _EMPTY and not UNSEEN.match(character)

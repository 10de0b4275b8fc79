"""Tells texts that nobody can guess from those that somebody else may choose as well. Pure.

Whether a text was drawn at random nobody can see. So two explanations of it are compared: that each character was drawn
evenly from the smallest alphabet that has them all, and that it was written, by a model of words, dates, counters and
patterns. A text is refused when the second explains it two million times better. Of texts that were drawn at random at
most one in two million is refused by that, whatever the model is (docs/decisions/086).
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

SHORTEST = 22
"""Characters: of base64 they hold 128 random bits, of hex 88."""
LIKELIER = 21 * math.log(2)
"""Logarithm of how many times likelier it has to be that a text was written."""
ALIKE = 1 / 64
"""The chance of each character when all are alike."""
SHARED = 0.1
"""Of all weights at each character: so quickly another expert takes over, as where a word ends and a date begins."""
_FORM = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_RANDOM_UUID = re.compile(r"(.{8}-.{4}-4.{3}-[89ab].{3}-.{12})|(.{8}-.{4}-7.{3}-[89ab].{3}-.{12})", re.IGNORECASE)
_CLERK = "clk_"
_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
_ALPHABETS = (
    set(_DIGITS + "abcdef"),
    set(_DIGITS + "ABCDEF"),
    set(_DIGITS + "ABCDEFGHJKMNPQRSTVWXYZ"),
    set(_LOWER + "234567"),
    set(_UPPER + "234567"),
    set(_DIGITS + _LOWER),
    set(_DIGITS + _UPPER),
    set(_DIGITS + _LOWER + _UPPER),
)
"""Those of random texts, the smallest first: hex, base32 in two forms, base36, base62; the rest is base64."""
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p")
_SAMPLE = """
the order orders number customer customers client checkout cart carts basket shopping shop store session sessions user
users guest guests visitor account invoice invoices payment payments pay paid card transaction purchase buy sale item
items product products article quantity price total amount currency shipping address delivery parcel tracking request
requests key token secret password idempotency idempotent unique identifier reference random test testing demo example
hello world welcome first second third last next new old my your our this that with from and for one two three four
five january february march april may june july august september october november december monday tuesday wednesday
thursday friday saturday sunday today tomorrow morning evening spring summer autumn winter name email phone mobile
browser device website window page button click submit confirm retry attempt action event message service server
application company ada lovelace alan grace hopper anna peter maria michael thomas john smith james robert mary
patricia jennifer linda david elizabeth william richard susan joseph jessica charles sarah karen daniel nancy lisa
love iloveyou dragon monkey football baseball master letmein bestellung bestellnummer kunde kundin warenkorb rechnung
zahlung einkauf lieferung sitzung benutzer nummer schluessel geheim hallo welt und der die das ein eine mit von fuer
commande panier facture paiement utilisateur pedido cliente carrito factura pago usuario ordine carrello fattura
pagamento utente squeaky bone toys dog ball rope duck chew red green blue black white yellow small large information
international development management everything something because without another between through people government
different thequickbrown fox jumps over lazy correct horse battery staple had little lamb lorem ipsum dolor sit amet
consectetur about after again all also always any are ask back before being best big both but call came can come could
day did do does down each even every find give good great has have her here him his home how into its just keep know
left life like line long look made make man many me men might more most much must need never no not now of off on only
or other out own part place play point read right said same say school see set she should show side so some state
still such take tell than them then there these they thing think those thought time to too try turn under up us use
very want was water way we well went were what when where which while who why will word work would write year you
"""


def _neighbours(rows: Sequence[str]) -> dict[str, str]:
    """character → those beside it in one of the rows."""
    found: dict[str, str] = {}
    for row in rows:
        for left, right in pairwise(row):
            found[left] = found.get(left, "") + right
            found[right] = found.get(right, "") + left
    return found


def _following(sample: str, length: int) -> dict[str, Counter[str]]:
    """context → how often which letter follows it in the words."""
    found: dict[str, Counter[str]] = {}
    for word in sample.split():
        padded = " " * length + word
        for place in range(len(word)):
            found.setdefault(padded[place : place + length], Counter())[padded[place + length]] += 1
    return found


_AFTER = {**_following(_SAMPLE, 1), **_following(_SAMPLE, 2), **_following(_SAMPLE, 3)}
_BESIDE = _neighbours(_ROWS)


def is_unguessable(text: str) -> bool:
    """Is it a random UUID, or at least 22 characters of base64 or hex, and does it not look written?

    A part between hyphens or underscores is enough.
    """
    if _FORM.fullmatch(text) is None or text.startswith(_CLERK):
        return False
    text = text.rstrip("=")
    uuids = _UUID.findall(text)
    if uuids:
        return any(_is_random_uuid(uuid) for uuid in uuids)
    return any(_looks_random(part) for part in {text, *re.split("[_-]", text)})


def _is_random_uuid(text: str) -> bool:
    """Of version 4 or 7, whose free digits look random; the 48 bits of a time are none of them."""
    match = _RANDOM_UUID.fullmatch(text)
    if match is None:
        return False
    digits = text.lower().replace("-", "")
    free = digits[:12] + digits[13:16] + digits[17:] if match.group(1) else digits[13:16] + digits[17:]
    return not _was_written(free)


def _looks_random(text: str) -> bool:
    return len(text) >= SHORTEST and not text.isdigit() and not _was_written(text)


def _was_written(text: str) -> bool:
    alphabet = next((len(known) for known in _ALPHABETS if known.issuperset(text)), 64)
    return _log_likelihood(text) + len(text) * math.log(alphabet) > LIKELIER


def _log_likelihood(text: str) -> float:
    """Of the text, where each character is foretold by several experts, and each counts by how well it did so far."""
    likelihood, weights = 0.0, list[float]()
    for place, character in enumerate(text):
        given = _foretold(text, place, character)
        weights = weights or [1 / len(given)] * len(given)
        chances = [chance * weight for chance, weight in zip(given, weights, strict=True)]
        total = sum(chances)
        likelihood += math.log(total)
        weights = [(1 - SHARED) * chance / total + SHARED / len(given) for chance in chances]
    return likelihood


def _foretold(text: str, place: int, character: str) -> Sequence[float]:
    """The chance that each expert gave to the character at that place. Over all 64 each gives 1 together at most."""
    before, second = text[max(0, place - 1) : place], text[max(0, place - 2) : max(0, place - 1)]
    return (
        ALIKE,
        0.085 if character.isdigit() else 0.07 if character in "-_" else 0.0,
        _mostly(character, [before]),
        _mostly(character, _steps(before)),
        _mostly(character, _steps(second)),
        _mostly(character, _as_before(text, place, 1)),
        _mostly(character, _as_before(text, place, 3)),
        _mostly(character, _BESIDE.get(before.lower(), "")),
        _as_word(text, place, character),
    )


def _mostly(character: str, expected: Sequence[str]) -> float:
    """For an expert who expects one of these."""
    return 0.9 * expected.count(character) / len(expected) + 0.1 * ALIKE if expected else ALIKE


def _as_before(text: str, place: int, length: int) -> str:
    """What has followed the last so many characters when they came before; nothing when they did not."""
    known = text.rfind(text[place - length : place], 0, place - 1) if place >= length else -1
    return text[known + length] if known >= 0 else ""


def _steps(character: str) -> Sequence[str]:
    """The same again, and one up and down, in both cases."""
    near = [chr(ord(character) + step) for step in (-1, 0, 1)] if character else []
    return near + [each.swapcase() for each in near if each.isalpha()]


def _as_word(text: str, place: int, character: str) -> float:
    """Letters follow each other as in the sample, a capital may begin a word; sometimes a digit comes."""
    letter = character.lower()
    if not letter.isalpha():
        return 0.005 if letter.isdigit() else 0.05 if letter in "-_" else 0.0
    before = _letters_at_the_end(text[max(0, place - 3) : place])
    if not before:
        case = 0.5
    elif before[-1].islower():
        case = 0.9 if character.islower() else 0.1
        before = before if character.islower() else ""
    else:
        case = 0.5
    chance = 0.1 / 26 + 0.15 * _share(" ", letter)
    for length, part in ((1, 0.15), (2, 0.25), (3, 0.35)):
        chance += part * _share((" " * length + before.lower())[-length:], letter)
    return 0.85 * case * chance


def _letters_at_the_end(text: str) -> str:
    return re.split("[^A-Za-z]", text)[-1]


def _share(context: str, letter: str) -> float:
    following = _AFTER.get(context)
    return following[letter] / following.total() if following else 0.0

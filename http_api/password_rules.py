"""Which passwords operators may choose: long enough, not their name, and none that guessing begins with. Pure."""

from __future__ import annotations

import re

from domain.visible_text import comparison_key

SHORTEST, LONGEST = 12, 1000
_LEAST_DIFFERENT = 5
"""So many different characters a password has at least: `abcabcabcabc` has three."""
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
)
"""What a finger or the alphabet runs along."""
_OBVIOUS = (
    "abc access account admin administrator angel baseball batman boss change clerk dashboard default "
    "demo dog dragon football guest hello hunter iloveyou internet letmein login love master me monkey my "
    "new night ninja operator order pass passwd password passwort power princess qwerty qwertz root "
    "secret secure shadow shop shopclerk squeaky summer sunshine super superman system temp test the this "
    "toy toys trustno user welcome winter your azerty autumn spring is in it not strong hunde geheim "
    "hallo willkommen sommer herbst fruehling frühling january february march april may june july august september "
    "october november december januar februar märz maerz mai juni juli oktober dezember monday tuesday wednesday "
    "thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag "
)
_WORDS = re.compile(rf"(?:{'|'.join(sorted(_OBVIOUS.split(), key=len, reverse=True))})+")
_LEET = str.maketrans("01345789@$!|€", "oleastbgasile")


def why_not(password: str, name: str) -> str | None:
    """Why somebody of that name may not have this password, as half a sentence; None when they may."""
    if len(password) < SHORTEST:
        return f"it has fewer than {SHORTEST} characters"
    if len(password) > LONGEST:
        return f"it has more than {LONGEST} characters"
    typed, key = comparison_key(password), comparison_key(name)
    if typed == key or (len(key) >= 4 and key in typed) or not typed.replace(key, ""):
        return "it contains your name"
    if len(set(typed)) < _LEAST_DIFFERENT or is_obvious(typed):
        return "it is among the first that somebody would guess"
    return None


def is_obvious(typed: str) -> bool:
    """Is it, in small letters, a run along keyboard or alphabet, something twice, words of the list, or digits alone?

    Digits and signs around it do not help.
    """
    if (typed + typed).find(typed, 1) < len(typed):
        return True
    cores = (re.sub(r"^[\W_]+|[\W_]+$", "", typed), re.sub(r"^[^a-z]+|[^a-z]+$", "", typed))
    if any(len(core) * 2 >= len(typed) and _runs_along(core) for core in cores):
        return True
    bare = re.sub(r"^[^a-z@$€]+|[^a-z]+$", "", typed)
    letters = (re.sub(r"[\W\d_]", "", text) for text in (typed, bare.translate(_LEET)))
    return any(_WORDS.fullmatch(each) for each in letters) or re.sub(r"[0-9]", "", typed) == ""


def _runs_along(text: str) -> bool:
    return any(text in row * 4 or text in row[::-1] * 4 for row in _ROWS)

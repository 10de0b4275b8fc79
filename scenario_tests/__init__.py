"""The whole shop played from outside, in shop words, on two harnesses with the same tests (README.md)."""

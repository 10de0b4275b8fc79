"""The whole shop played from outside, in shop words, on two stages with the same tests (README.md)."""

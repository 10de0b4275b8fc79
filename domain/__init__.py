"""The words that every service shares, pure: the Clerk document, messages, ids, times. Imports nothing of ours."""

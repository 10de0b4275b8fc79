"""What every service shares, pure: the Clerk document, messages, ids, times, money. Imports none of our packages."""

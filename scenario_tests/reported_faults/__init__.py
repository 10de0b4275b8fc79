"""What went wrong at the edges of other people's shops, tried on ours: a table of cases, each with its right value.

`cases.py` says what a case is; the rooms beside it hold them, a kind each. `test_reported_faults.py` runs them all
against one shop over real HTTP, on whichever harness there is: SQLite in one process, or PostgreSQL under five.
"""

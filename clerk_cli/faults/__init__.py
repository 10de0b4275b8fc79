"""The switchboard of `clerk up --faults`: faults that are put in force while the shop runs, for development only."""

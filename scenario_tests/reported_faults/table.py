"""The whole table: the cases of all rooms, by number."""

from __future__ import annotations

from scenario_tests.reported_faults.http_cases import HTTP
from scenario_tests.reported_faults.list_cases import LISTS
from scenario_tests.reported_faults.money_cases import MONEY
from scenario_tests.reported_faults.provider_cases import PROVIDER
from scenario_tests.reported_faults.retry_cases import RETRIES
from scenario_tests.reported_faults.text_cases import TEXTS
from scenario_tests.reported_faults.waiting_cases import WAITING

ROOMS = (HTTP, TEXTS, MONEY, LISTS, WAITING, PROVIDER, RETRIES)
CASES = tuple(sorted((case for room in ROOMS for case in room.cases), key=lambda case: case.number))

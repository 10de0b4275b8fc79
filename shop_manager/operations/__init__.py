"""The operators' side of ShopManager: reads, acts, bulk acts, people and the audit, behind `/ops` and the dashboard."""

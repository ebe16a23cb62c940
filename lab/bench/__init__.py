"""Timings of what the budgets speak of. They print figures and assert nothing."""

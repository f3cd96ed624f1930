"""The gate: declared checks over the candidate release, run by Great Expectations, stored in ``audit``."""

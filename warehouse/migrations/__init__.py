"""Alembic migrations of the ``registry``, ``warehouse`` and ``audit`` schemas."""

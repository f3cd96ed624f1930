"""Airflow DAGs: the order in which the rooms' public functions are called, and nothing else.

``stages`` calls the rooms and records times and results; ``policy`` is what every DAG has in common;
each other module is one DAG whose docstring is the page that the person on call reads.
"""

"""The real Airflow of this instance: its environment, its metadata database, its processes.

``environment`` says how Airflow is configured, ``metadata`` keeps its database, ``services`` starts and stops
the scheduler and the UI, ``runner`` runs one DAG to its end in a process of its own.
"""

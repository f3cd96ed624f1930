"""Where the database is and which release of it is public.

Settings, engines, the embedded server, migrations, roles, releases and the ``warehouse`` command.
Knows no report form and no dbt model by name.
"""

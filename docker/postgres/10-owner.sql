-- Runs once, when the server's data folder is made: the warehouse's owner, who is no superuser, and its database.
-- Everything else (roles, schemas, Airflow's database) is made by the service migrate, on any server.
\set password `cat "$OWNER_PASSWORD_FILE"`
create role owner login createrole createdb password :'password';
create database warehouse owner owner;

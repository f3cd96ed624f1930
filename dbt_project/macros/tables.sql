{#-
    How a table of the star is made: filled first, then bound.

    dbt declares the contract's table and inserts into it, which checks and indexes row by row and never runs in parallel.
    Here PostgreSQL makes the table from the select, in parallel where it pays, sorts the key once, and knows what is
    in the table before the next model reads it. The contract holds as before: names and types are compared before the
    select runs, each column has its declared type, each constraint is added, and one that does not hold ends the build.

    The two release columns stand in front: they have one width and are never empty, so that reading through a view
    finds them without unpacking the row. Nobody sees that order: views and the strategy name their columns.
-#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- set columns = model.columns.values() | list -%}
    {%- set in_front = ['release_from', 'release_to'] if 'release_from' in model.columns else [] -%}
    {%- if temporary or not config.get('contract').enforced -%}
        {{ dbt.postgres__create_table_as(temporary, relation, sql) }}
    {%- else -%}
    {{ get_assert_columns_equivalent(sql) }}
    {{ config.get('sql_header') or '' }}
    create {{ 'unlogged ' if config.get('unlogged') }}table {{ relation }} as
    select
        {%- for name in in_front %}
        made.{{ name }}::{{ model.columns[name].data_type }} as {{ name }},
        {%- endfor %}
        {%- for column in columns if column.name not in in_front %}
        made.{{ column.name }}::{{ column.data_type }} as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        {{ sql }}
    ) as made;

    {%- for constraint in table_constraints(columns) %}
    {%- if loop.first %}
    alter table {{ relation }}
    {%- endif %}
        {{ constraint }}{{ ',' if not loop.last else ';' }}
    {%- endfor %}

    analyze {{ relation }};
    {%- endif -%}
{%- endmacro %}

{#- The contract's constraints as actions of alter table: [text]. -#}
{% macro table_constraints(columns) -%}
    {%- set actions = [] -%}
    {%- for column in columns -%}
        {%- for constraint in column.constraints -%}
            {%- if constraint.type != 'not_null' -%}
                {{ exceptions.raise_compiler_error(
                    'Column ' ~ column.name ~ ': a constraint ' ~ constraint.type ~ ' belongs to the model, not to a column.'
                ) }}
            {%- endif -%}
            {%- do actions.append('alter column ' ~ column.name ~ ' set not null') -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in adapter.render_raw_model_constraints(raw_constraints=model.constraints) -%}
        {%- do actions.append('add ' ~ constraint) -%}
    {%- endfor -%}
    {{ return(actions) }}
{%- endmacro %}

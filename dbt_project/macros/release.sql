{#-
    Releases as versions of rows.

    Every table of schema star carries release_from and release_to. A row belongs to release R when
    release_from <= R < release_to. A build for candidate C compares its new rows with the rows of the release
    before C, inside the model's scope only, closes what changed or vanished, and inserts what is new.
    The rest of the project knows two things of it: {{ release_columns() }} ends a model's select list, and
    {{ at_candidate(ref('…')) }} reads another table of the star.
-#}

{#- Number of the release being built. Read at run time only, so that it never makes dbt parse again. -#}
{% macro candidate_release() -%}
    {%- if execute -%}{{ env_var('WAREHOUSE_CANDIDATE', '0') | int }}{%- else -%}0{%- endif -%}
{%- endmacro %}

{% macro open_end() -%}2147483647{%- endmacro %}

{#- The two columns that end every model of the star. -#}
{% macro release_columns() -%}
    {{ candidate_release() }}::int as release_from,
    {{ open_end() }}::int as release_to
{%- endmacro %}

{#- Rows of another star table as the candidate shows them. -#}
{% macro at_candidate(relation) -%}
    (select * from {{ relation }} where release_to = {{ open_end() }})
{%- endmacro %}

{#-
    dbt's extension point: the SQL that brings the new rows (temp_relation) into the table.

    Compares once, in one full join, then writes from the outcome. Running it again for the same candidate
    gives the same table: rows of an earlier try are removed first, and the comparison is always with the
    release before the candidate, whose rows an earlier try may have closed.
-#}
{% macro get_incremental_release_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set candidate = candidate_release() | int -%}
    {%- if candidate < 1 -%}
        {{ exceptions.raise_compiler_error("No candidate release: builds are run by `warehouse`, not by dbt alone.") }}
    {%- endif -%}
    {%- set keys = arg_dict['unique_key'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name')
        | reject('in', ['release_from', 'release_to']) | list -%}
    {%- set kept = (config.get('meta') or {}).get('not_compared', []) -%}
    {%- set compared = columns | reject('in', keys) | reject('in', kept) | list -%}
    {%- set delta = target.identifier ~ '__delta' -%}
    {%- set same_key = [] -%}
    {%- for key in keys -%}
        {%- do same_key.append('old.' ~ key ~ ' = new.' ~ key) -%}
    {%- endfor -%}

    delete from {{ target }} as star
    where star.release_from = {{ candidate }} and {{ scope('star') }};

    create temporary table {{ delta }} on commit drop as
    select pair.*
    from (
        select
            {% for key in keys %}old.{{ key }} as old_{{ key }}, {% endfor %}
            old.release_from as old_release_from,
            old.release_to as old_release_to,
            new.present as is_present,
            {% for column in columns %}new.{{ column }}, {% endfor %}
            new.present is null or old.release_from is null
            {%- if compared %} or
            ({% for column in compared %}old.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
            is distinct from
            ({% for column in compared %}new.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
            {%- endif %} as is_changed
        from (
            select star.* from {{ target }} as star
            where star.release_from < {{ candidate }} and star.release_to >= {{ candidate }}
                and {{ scope('star') }}
        ) as old
        full join (select fresh.*, true as present from {{ arg_dict['temp_relation'] }} as fresh) as new
            on {{ same_key | join(' and ') }}
    ) as pair
    where pair.is_changed or pair.old_release_to = {{ candidate }};

    analyze {{ delta }};

    update {{ target }} as star
    set release_to = case when delta.is_changed then {{ candidate }} else {{ open_end() }} end
    from {{ delta }} as delta
    where {% for key in keys %}star.{{ key }} = delta.old_{{ key }} and {% endfor %}
        star.release_from = delta.old_release_from
        and star.release_to <> case when delta.is_changed then {{ candidate }} else {{ open_end() }} end
        and {{ scope('star') }};

    insert into {{ target }} ({{ columns | join(', ') }}, release_from, release_to)
    select {{ columns | join(', ') }}, {{ candidate }}, {{ open_end() }}
    from {{ delta }}
    where is_present and is_changed;
    {%- if (config.get('meta') or {}).get('spells') %}

    -- Now, not at the end: the hooks that follow may not touch a table with checks outstanding.
    set constraints all immediate;
    {%- endif %}
{% endmacro %}

{#- Indexes that find what a candidate wrote (rejecting it, counting it) without reading the table. -#}
{% macro release_indexes() -%}
    create index if not exists {{ this.identifier }}__from on {{ this }} using brin (release_from)
        with (pages_per_range = 16, autosummarize = on);
    create index if not exists {{ this.identifier }}__to on {{ this }} (release_to)
        where release_to < {{ open_end() }}
    {%- for columns in (config.get('meta') or {}).get('open_indexes', []) %};
    create index if not exists {{ this.identifier }}__open_{{ loop.index }} on {{ this }} ({{ columns | join(', ') }})
        where release_to = {{ open_end() }}
    {%- endfor -%}
{%- endmacro %}

{#-
    Lets the database itself refuse spells that overlap in a release, and with without_gap those that leave days out.

    The model says in meta.spells what a spell is of. Both hold at the end of a transaction: a build closes and
    inserts in between. Needs the extension btree_gist (migration 0006). `lapses` names the column of a spell that says
    until which day nothing follows it; `first` is a condition that holds for the first spell of each and for no other,
    so that the first cannot go without the rest. A table that has another trigger gets this one.
-#}
{% macro spells_meet() -%}
    {%- set spells = (config.get('meta') or {}).get('spells') -%}
    do $spells$
    begin
        if not exists (
            select from pg_constraint
            where conrelid = '{{ this }}'::regclass and conname = '{{ this.identifier }}__no_overlap'
        ) then
            alter table {{ this }} add constraint {{ this.identifier }}__no_overlap exclude using gist (
                {{ spells['of'] }} with =,
                daterange(valid_from, valid_to) with &&,
                int4range(release_from, release_to) with &&
            ) deferrable initially deferred;
        end if;
        {%- if spells['without_gap'] %}
        {%- set arguments = [] %}
        {%- for given in (spells['of'], spells.get('lapses', ''), spells.get('first', '')) %}
            {%- do arguments.append(given | replace("'", "''")) %}
        {%- endfor %}
        if not exists (
            select from pg_trigger
            where tgrelid = '{{ this }}'::regclass and tgname = '{{ this.identifier }}__no_gap'
                and encode(tgargs, 'escape') = '{{ arguments | join('\\000') }}\000'
        ) then
            drop trigger if exists {{ this.identifier }}__no_gap on {{ this }};
            create constraint trigger {{ this.identifier }}__no_gap after insert or update or delete on {{ this }}
                deferrable initially deferred for each row
                execute function warehouse.spells_meet('{{ arguments | join("', '") }}');
        end if;
        {%- endif %}
    end
    $spells$
{%- endmacro %}

{#- Time zone in which a day ends, for due dates. -#}
{% macro local_timezone() -%}
    {%- if execute -%}{{ env_var('WAREHOUSE_LOCAL_TIMEZONE', 'Asia/Shanghai') }}{%- else -%}Asia/Shanghai{%- endif -%}
{%- endmacro %}

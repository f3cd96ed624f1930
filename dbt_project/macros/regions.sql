{#- Dated events of regions: of a code that the site folder has its lines, of others those of the project's list. -#}
{% macro region_events() -%}
{%- set columns = [
    'region_code', 'event_date', 'date_basis', 'statistics_from', 'event_type', 'name_zh', 'level', 'region_type',
    'parent_code', 'inside_code', 'is_counted_inside', 'note'
] | join(', ') -%}
(
    select {{ columns }} from {{ ref('stg_registry__region_event') }}
    union all
    select {{ columns }} from {{ ref('region_event') }} as listed
    where not exists (
        select from {{ ref('stg_registry__region_event') }} as own where listed.region_code = own.region_code
    )
)
{%- endmacro %}

{#- Changes from region to region, likewise. -#}
{% macro region_changes() -%}
{%- set columns = 'change_date, from_code, to_code, kind, share, back_share, share_basis, note' -%}
(
    select {{ columns }} from {{ ref('stg_registry__region_change') }}
    union all
    select {{ columns }} from {{ ref('region_change') }} as listed
    where not exists (
        select from {{ ref('stg_registry__region_event') }} as own where listed.from_code = own.region_code
    )
)
{%- endmacro %}

{#-
    Regions as they were, spell by spell, from the dated events of the seed: in parentheses, to be read as a table.

    The order of the lines means nothing: events of one code and day are put together, an attribute holds until an event
    of the same region gives another, and a code that is used again begins anew. Statistics change over on
    statistics_from, the law on event_date; valid_from and valid_to are those of the statistics.
-#}
{% macro region_versions() -%}
{%- set kept = ['name_zh', 'level', 'region_type', 'parent_code', 'inside_code', 'is_counted_inside'] -%}
(
    select
        held.region_code::bigint * 100000000 + to_char(held.valid_from, 'YYYYMMDD')::bigint as region_key,
        held.region_code,
        held.valid_from,
        held.valid_to,
        held.applies_from,
        held.legal_from,
        held.legal_to,
        held.is_ending,
        held.next_from,
        held.identity_no,
        held.event_type,
        held.date_basis,
        held.note,
        {%- for name in kept %}
        first_value(held.{{ name }}) over (
            partition by held.region_code, held.identity_no, held.{{ name }}_spell order by held.valid_from
        ) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            day.*,
            {%- for name in kept %}
            count(day.{{ name }}) over (
                partition by day.region_code, day.identity_no order by day.valid_from
            ) as {{ name }}_spell,
            {%- endfor %}
            lead(day.valid_from, 1, date '9999-12-31') over code as valid_to,
            lead(day.legal_from, 1, date '9999-12-31') over code as legal_to,
            coalesce(lead(day.is_closed) over code, false) as is_ending,
            min(day.valid_from) filter (where not day.is_closed) over (
                code rows between 1 following and unbounded following
            ) as next_from,
            case
                when coalesce(lag(day.is_closed) over code, true) and not day.is_handed_over
                    then least(day.legal_from, day.valid_from)
                else day.valid_from
            end as applies_from
        from (
            select
                event.region_code,
                event.statistics_from as valid_from,
                min(event.event_date) as legal_from,
                min(event.date_basis) as date_basis,
                string_agg(event.event_type, ' ' order by event.event_type) as event_type,
                bool_and(event.event_type = 'close') as is_closed,
                bool_or(event.event_type = 'close') as is_handed_over,
                sum(max(case when event.event_type in ('open', 'reopen') then 1 else 0 end)) over (
                    partition by event.region_code order by event.statistics_from
                ) as identity_no,
                {%- for name in kept[:-1] %}
                max(event.{{ name }}) as {{ name }},
                {%- endfor %}
                bool_or(event.is_counted_inside) as is_counted_inside,
                string_agg(event.note, '；' order by event.event_type) as note
            from {{ region_events() }} as event
            group by event.region_code, event.statistics_from
        ) as day
        window code as (partition by day.region_code order by day.valid_from)
    ) as held
    where not held.is_closed
)
{%- endmacro %}

{#- Changes from region to region, each end as the version that it ends or begins. -#}
{% macro region_lineage() -%}
(
    select
        before.region_key as from_key,
        after.region_key as to_key,
        after.valid_from as change_date,
        change.change_date as legal_date,
        change.kind,
        change.share,
        change.back_share,
        change.share_basis,
        before.region_code = after.region_code as is_same_code,
        before.name_zh = after.name_zh as is_same_name,
        -- All that flows into the region after the change flows into it whole.
        coalesce(bool_and(coalesce(change.share = 1, false)) over (partition by after.region_key), false) as is_exact,
        change.note
    from {{ region_changes() }} as change
    inner join {{ region_versions() }} as before
        on change.from_code = before.region_code and change.change_date = before.legal_to
    inner join {{ region_versions() }} as after
        on change.to_code = after.region_code and change.change_date = after.legal_from
    union all
    -- A region that got another name or superior is the same region.
    select
        before.region_key as from_key,
        after.region_key as to_key,
        after.valid_from as change_date,
        after.legal_from as legal_date,
        'recode' as kind,
        1 as share,
        1 as back_share,
        'same_territory' as share_basis,
        true as is_same_code,
        before.name_zh = after.name_zh as is_same_name,
        true as is_exact,
        after.note
    from {{ region_versions() }} as before
    inner join {{ region_versions() }} as after
        on before.region_code = after.region_code
            and before.identity_no = after.identity_no
            and before.valid_to = after.valid_from
    where after.event_type not like '%boundary%'
)
{%- endmacro %}

{#- What a region lies in by its code alone: village and township in a county, county in a prefecture, prefecture in a province. -#}
{% macro superior_by_code(code) -%}
case
    when length({{ code }}) > 6 then left({{ code }}, 6)
    when {{ code }} not like '%00' then left({{ code }}, 4) || '00'
    when {{ code }} not like '%0000' then left({{ code }}, 2) || '0000'
end
{%- endmacro %}

-- Grain: one row per code list of a form, code and spell of its place in the list.
{{ config(unique_key=['code_list', 'code', 'valid_from'], meta={'scope': 'all'}) }}
with form as (
    select distinct on (registered.form_code)
        registered.form_code,
        registered.definition
    from {{ source('registry', 'form') }} as registered
    order by registered.form_code asc, registered.loaded_at desc, registered.edition desc
),

-- Forms may share a list; where a bureau's own form has another of the same name, the form that comes first counts.
listed as (
    select distinct on (entry.key)
        entry.key as code_list,
        entry.value as content
    from form
    cross join lateral jsonb_each(form.definition -> 'code_lists') as entry
    order by entry.key asc, form.form_code asc
),

used as (
    select
        field.value ->> 'code_list' as code_list,
        string_agg(form.form_code || '.' || (field.value ->> 'code'), ' ' order by form.form_code, field.ordinality)
            as used_by
    from form
    cross join lateral jsonb_array_elements(form.definition -> 'fields') with ordinality as field
    where field.value ->> 'code_list' is not null
    group by field.value ->> 'code_list'
),

member as (
    select
        listed.code_list,
        listed.content ->> 'name_zh' as list_name_zh,
        entry.ordinality::int as ordinal,
        entry.value as code
    from listed
    cross join lateral jsonb_array_elements(listed.content -> 'codes') with ordinality as entry
)

select
    member.code_list,
    member.code ->> 'code' as code,
    coalesce((spell.value ->> 'valid_from')::date, date '0001-01-01') as valid_from,
    coalesce((spell.value ->> 'valid_to')::date, date '9999-12-31') as valid_to,
    member.list_name_zh,
    member.ordinal,
    member.code -> 'labels' ->> 0 as name_zh,
    array_to_string(array(select jsonb_array_elements_text(member.code -> 'labels')), '、') as labels,
    spell.value ->> 'class' as class,
    spell.value ->> 'parent' as parent_code,
    used.used_by,
    {{ release_columns() }}
from member
cross join
    lateral jsonb_array_elements(
        case jsonb_array_length(member.code -> 'memberships')
            when 0 then jsonb_build_array(member.code)
            else member.code -> 'memberships'
        end
    ) as spell
left join used
    on member.code_list = used.code_list

-- Grain: one row per form and edition, with what it counts, how long it holds and when it is due.
{{ config(unique_key=['form_code', 'edition'], meta={'scope': 'all'}) }}
select
    form.form_code,
    form.edition,
    form.name_zh,
    form.name_en,
    edition.value ->> 'name_zh' as edition_name_zh,
    edition.value ->> 'form_number' as form_number,
    (edition.value ->> 'valid_from')::date as valid_from,
    coalesce((edition.value ->> 'valid_to')::date, date '9999-12-31') as valid_to,
    form.period_type,
    form.subject_type,
    (form.definition #>> '{due,months_after}')::int as due_months_after,
    (form.definition #>> '{due,day}')::int as due_day,
    form.definition ->> 'due_note' as due_note,
    form.definition ->> 'filed_by' as filed_by,
    {{ release_columns() }}
from {{ source('registry', 'form') }} as form
left join lateral (
    select one.value
    from jsonb_array_elements(form.definition -> 'editions') as one
    where one.value ->> 'code' = form.edition
) as edition on true

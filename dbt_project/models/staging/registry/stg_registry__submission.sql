-- Grain: one row per report and file that brought a content of its own. What became of it is told by its first reading:
-- a file that was read again is not submitted again. Whether it was accepted may be told by a later reading.
with first_reading as (
    select distinct on (revision.report_id, revision.arrival_id)
        revision.report_id,
        revision.arrival_id,
        revision.revision_id,
        revision.record_count,
        revision.value_count
    from {{ source('registry', 'revision') }} as revision
    order by revision.report_id, revision.arrival_id, revision.revision_no
),

form as (
    select
        definition.form_code,
        bool_or(jsonb_typeof(definition.definition -> 'cards') = 'object') as is_of_cards
    from {{ source('registry', 'form') }} as definition
    group by definition.form_code
),

printed as (
    select
        field.form_code,
        count(*) as fields
    from {{ source('registry', 'form_field') }} as field
    group by field.form_code
)

select
    first_reading.report_id,
    first_reading.arrival_id,
    exists(
        select from {{ source('registry', 'revision_status') }} as told
        where told.revision_id = first_reading.revision_id and told.status = 'quarantined'
    ) as is_returned,
    exists(
        select from {{ source('registry', 'revision') }} as reading
        inner join {{ source('registry', 'revision_status') }} as told
            on reading.revision_id = told.revision_id
        where reading.report_id = first_reading.report_id and reading.arrival_id = first_reading.arrival_id
            and reading.status <> 'withdrawn' and told.status in ('accepted', 'accepted_with_warnings')
    ) as is_accepted,
    case
        when form.is_of_cards then first_reading.record_count * printed.fields else first_reading.value_count
    end as cells,
    (
        select count(*)
        from {{ source('registry', 'finding') }} as finding
        where finding.revision_id = first_reading.revision_id and finding.severity = 'hard'
            and finding.waiver_id is null
    ) as failed_checks
from first_reading
inner join {{ source('registry', 'report') }} as report
    on first_reading.report_id = report.report_id
left join form
    on report.form_code = form.form_code
left join printed
    on report.form_code = printed.form_code

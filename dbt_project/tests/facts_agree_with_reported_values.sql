-- A number has one value in the star: what a thematic fact of this candidate says, fct_reported_value says too.
{%- set facts = ['fct_hospital_service', 'fct_maternal_care'] %}
{%- set own = ['doctors'] %}
{% for model in star_models() if model.name in facts %}
select
    '{{ model.name }}' as table_name,
    fact.report_id,
    cell.field_code,
    cell.value as fact_value,
    reported.value as reported_value
from star.{{ model.name }} as fact
cross join lateral (
    values
    {%- set measures = [] %}
    {%- for column in model.columns.values() if column.data_type in ('bigint', 'numeric') and not column.name.endswith(('_id', '_key')) and column.name not in own %}
        {%- do measures.append(column.name) %}
    {%- endfor %}
    {%- for measure in measures %}
    ('{{ measure }}', fact.{{ measure }}::numeric){{ ',' if not loop.last }}
    {%- endfor %}
) as cell (field_code, value)
left join {{ at_candidate('star.fct_reported_value') }} as reported
    on fact.report_id = reported.report_id and cell.field_code = reported.field_code
where fact.release_from = {{ candidate_release() }} and cell.value is distinct from reported.value
{{ 'union all' if not loop.last }}
{% else %}
select
    null as table_name,
    null::bigint as report_id,
    null as field_code,
    null as fact_value,
    null as reported_value
where false
{% endfor %}

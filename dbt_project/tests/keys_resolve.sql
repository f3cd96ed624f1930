-- Every key that this candidate wrote into a fact is a row of its dimension at the candidate.
{%- set keys = {
    'organization_key': ('dim_organization', 'organization_key'),
    'organization_version_key': ('dim_organization', 'organization_version_key'),
    'report_id': ('dim_report', 'report_id'),
    'deaths_report_id': ('dim_report', 'report_id'),
    'revision_id': ('dim_revision', 'revision_id'),
    'region_code': ('dim_region', 'region_code'),
    'disease_code': ('dim_disease', 'disease_code'),
    'indicator_code': ('dim_indicator', 'indicator_code'),
    'slice': ('dim_slice', 'slice'),
    'vaccine_dose_key': ('dim_vaccine_dose', 'vaccine_dose_key'),
    'period_start': ('dim_date', 'date_key'),
    'period_end': ('dim_date', 'date_key'),
} %}
{%- set checks = [] %}
{%- for model in star_models() if model.name.startswith(('fct_', 'mart_')) %}
    {%- for column in model.columns if column in keys %}
        {%- do checks.append((model.name, column, keys[column][0], keys[column][1])) %}
    {%- endfor %}
{%- endfor %}
{% for fact, column, dimension, key in checks %}
select distinct '{{ fact }}' as table_name, '{{ column }}' as column_name, fact.{{ column }}::text as dangling_key
from star.{{ fact }} as fact
where fact.release_from = {{ candidate_release() }}
    and fact.{{ column }} is not null
    and not exists (
        select from star.{{ dimension }} as dimension
        where dimension.{{ key }} = fact.{{ column }} and dimension.release_to = {{ open_end() }}
    )
{{ 'union all' if not loop.last }}
{% else %}
select
    null as table_name,
    null as column_name,
    null as dangling_key
where false
{% endfor %}

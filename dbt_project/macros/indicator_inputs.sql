{#-
    What the parts of indicators are counted from, apart from the numbers that forms carry (fct_reported_value).

    Every macro but product_values selects rows of one shape: subject_type, subject_code, organization_key, form_code,
    field_code, breakdown, period_type, period_start, period_end, value, is_filed. The rows of seed indicator_part say
    which are needed. A row is filed when its subject is a region that reported it for itself; such a report stands for
    all below it.
-#}

{#- Condition of a row of indicator_part as SQL on raw.<form>: `field=a|b`, `field>0`, `field<2`, `field?` (is given), joined by &. -#}
{% macro indicator_condition(written) -%}
    {%- for term in (written or '').split('&') if term %}
        {%- if term.endswith('?') -%}form.{{ adapter.quote(term[:-1]) }} is not null
        {%- elif '=' in term -%}
            {%- set sides = term.split('=') -%}
            form.{{ adapter.quote(sides[0]) }}::text in ('{{ sides[1].split('|') | join("', '") }}')
        {%- elif '>' in term -%}
            {%- set sides = term.split('>') -%}form.{{ adapter.quote(sides[0]) }} > {{ sides[1] | int }}
        {%- elif '<' in term -%}
            {%- set sides = term.split('<') -%}form.{{ adapter.quote(sides[0]) }} < {{ sides[1] | int }}
        {%- else -%}{{ exceptions.raise_compiler_error('indicator_part: the condition ' ~ term ~ ' is not understood.') }}
        {%- endif -%}
        {{ ' and ' if not loop.last }}
    {%- else -%}true
    {%- endfor -%}
{%- endmacro %}

{#- The name under which a part finds its rows: the field, with the condition and what is told apart by. -#}
{% macro indicator_field(alias) -%}
    {{ alias }}.field_code || coalesce('?' || {{ alias }}.condition, '') || coalesce('@' || {{ alias }}.about, '')
{%- endmacro %}

{#- Parts that count records of a form, or sum a field over the records that meet a condition. -#}
{% macro indicator_records() -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {{ return(run_query(
        "select distinct part.form_code, part.field_code, part.condition, part.about, "
        ~ indicator_field('part') ~ " as field_key, exists (select from pg_attribute as a"
        ~ " where a.attrelid = to_regclass(format('raw.%I', part.form_code)) and a.attname = 'set_aside') as has_cards,"
        ~ " exists (select from registry.form as f where f.form_code = part.form_code and f.period_type = 'event') as is_event,"
        ~ " (" ~ card_key_columns('part.form_code') ~ ") as card_key"
        ~ " from staging.indicator_part as part"
        ~ " where (part.field_code in ('*') or part.field_code like 'distinct %' or part.condition is not null)"
        ~ " and to_regclass(format('raw.%I', part.form_code)) is not null order by 1, 5"
    ).rows) }}
{%- endmacro %}

{#- Columns of raw.<form> that tell a card from another, as its form says; what is personal stands as the person's key. -#}
{% macro card_key_columns(form_code) -%}
    select string_agg(
        case when exists (
            select from pg_attribute as a
            where a.attrelid = to_regclass(format('raw.%I', f.form_code)) and a.attname = key.name
        ) then key.name else f.definition -> 'cards' -> 'persons' -> 0 ->> 'code' || '_key' end, ',' order by key.name
    )
    from (select * from registry.form where form_code = {{ form_code }} limit 1) as f
    cross join lateral jsonb_array_elements_text(
        case jsonb_typeof(f.definition -> 'cards' -> 'key') when 'array' then f.definition -> 'cards' -> 'key' else '[]' end
    ) as key (name)
{%- endmacro %}

{% macro record_values() -%}
    {%- for form_code, field_code, condition, about, field_key, has_cards, is_event, card_key in indicator_records() %}
    {%- set holds = indicator_condition(condition) -%}
    {%- set day = 'form.' ~ adapter.quote(about) ~ '::date' if is_event else 'report.period_start' %}
    union all
    select
        {%- if about and not is_event %}
        'region' as subject_type,
        form.{{ adapter.quote(about) }} as subject_code,
        null::int as organization_key,
        {%- else %}
        report.subject_type,
        coalesce(case when report.subject_type = 'region' then report.region_code end, report.subject_code) as subject_code,
        case when report.subject_type = 'organization' then report.organization_key end as organization_key,
        {%- endif %}
        '{{ form_code }}' as form_code,
        '{{ field_key }}' as field_code,
        '' as breakdown,
        {%- if is_event %}
        span.period_type,
        span.period_start,
        span.period_end,
        {%- else %}
        report.period_type,
        report.period_start,
        report.period_end,
        {%- endif %}
        {%- if about and not is_event %}
        max(case when {{ holds }} then 1 else 0 end)::numeric as value,
        false as is_filed
        {%- elif field_code.startswith('distinct ') %}
        count(distinct case when {{ holds }} then form.{{ adapter.quote(field_code[9:]) }} end)::numeric as value,
        report.subject_type = 'region' as is_filed
        {%- elif field_code == '*' %}
        sum(({{ holds }})::int)::numeric as value,
        report.subject_type = 'region' as is_filed
        {%- else %}
        sum(case when {{ holds }} then form.{{ adapter.quote(field_code) }} else 0 end)::numeric as value,
        report.subject_type = 'region' as is_filed
        {%- endif %}
    from raw.{{ adapter.quote(form_code) }} as form
    inner join {{ ref('stg_registry__report') }} as report
        on form.revision_id = report.revision_id
    {%- if is_event %}
    cross join lateral (
        values
        ('year', date_trunc('year', {{ day }})::date, (date_trunc('year', {{ day }}) + interval '1 year - 1 day')::date),
        -- Shifted by three months the maternal-child year is a calendar year.
        (
            'mch_year',
            (date_trunc('year', {{ day }} + interval '3 months') - interval '3 months')::date,
            (date_trunc('year', {{ day }} + interval '3 months') + interval '9 months - 1 day')::date
        )
    ) as span (period_type, period_start, period_end)
    {%- endif %}
    where report.form_code = '{{ form_code }}'
        and {{ changed_days(day) }}
        {%- if has_cards %} and form.set_aside is null{% endif %}
        {%- if has_cards and card_key %}
        -- A card that came in two batches counts once, as it came last.
        and not exists (
            select from raw.{{ adapter.quote(form_code) }} as newer
            inner join {{ ref('stg_registry__report') }} as newer_report
                on newer.revision_id = newer_report.revision_id
            where newer.set_aside is null
                {%- for column in card_key.split(',') %}
                and newer.{{ adapter.quote(column) }} = form.{{ adapter.quote(column) }}
                {%- endfor %}
                and (newer_report.received_at, newer_report.report_id) > (report.received_at, report.report_id)
        )
        {%- endif %}
        {%- if about and not is_event %} and form.{{ adapter.quote(about) }} is not null{% endif %}
    group by 1, 2, 3, 7, 8, 9, report.subject_type
    {%- endfor %}
{%- endmacro %}

{#- Two numbers of one record multiplied: a sampled rate weighs as much as its sample. Rows as int_indicator_count has
    them; its CTE measure is read. -#}
{% macro product_values(source) -%}
    {%- set fields = run_query(
        "select distinct form_code, field_code from staging.indicator_part"
        ~ " where field_code like '_%*_%' and form_code <> 'task_progress' order by 1, 2"
    ).rows if execute else [] -%}
    {%- for form_code, field_code in fields %}
    {%- set sides = field_code.split('*') %}
union all
select
    one.report_id,
    measure.measure_no,
    count(*)::int as given,
    sum(one.value * other.value) as value
from {{ source }} as one
inner join {{ source }} as other
    on one.report_id = other.report_id
        and one.breakdown = other.breakdown
inner join measure
    on one.form_code = measure.form_code
        and measure.field_code = '{{ field_code }}'
        and one.breakdown like measure.breakdown
where one.form_code = '{{ form_code }}' and one.field_code = '{{ sides[0] }}' and other.field_code = '{{ sides[1] }}'
group by one.report_id, measure.measure_no
    {%- endfor %}
{%- endmacro %}

{#- Tasks name their indicator themselves. What the bureau audited counts before what was claimed. A task is of the region
    that it names, or of the unit that is responsible for it. -#}
{% macro task_values() %}
    union all
    select
        case when task.region_code is not null then 'region' else 'organization' end as subject_type,
        coalesce(task.region_code, report.subject_code) as subject_code,
        case when task.region_code is null then report.organization_key end as organization_key,
        'task_progress' as form_code,
        cell.field_code,
        task.indicator_code as breakdown,
        report.period_type,
        report.period_start,
        report.period_end,
        sum(cell.value) as value,
        task.region_code is not null as is_filed
    from {{ source('raw', 'task_progress') }} as task
    inner join {{ ref('stg_registry__report') }} as report
        on task.revision_id = report.revision_id
    cross join lateral (
        values
        ('done', coalesce(task.audited_value, task.done_cumulative)),
        ('denominator', task.denominator),
        ('done*denominator', coalesce(task.audited_value, task.done_cumulative) * task.denominator),
        ('done_in_county', coalesce(task.audited_value, task.done_cumulative))
    ) as cell (field_code, value)
    where report.form_code = 'task_progress'
        and {{ changed_days('report.period_start') }}
        and task.indicator_code is not null
        and cell.value is not null
    group by 1, 2, 3, 5, 6, 7, 8, 9, 11
{%- endmacro %}

{#- Titles granted to regions and units: in the year that granted them, and those valid at the end of each year. -#}
{% macro certificate_values() %}
    union all
    select
        'region' as subject_type,
        counted.subject_code,
        null::int as organization_key,
        'certification_register' as form_code,
        counted.field_code,
        certificate.label as breakdown,
        'year' as period_type,
        year_in_scope.year_start as period_start,
        year_in_scope.year_end as period_end,
        count(distinct certificate.certified_code)::numeric as value,
        false as is_filed
    from year_in_scope
    inner join certificate
        on certificate.valid_from <= year_in_scope.year_end
    cross join lateral (
        values
        ('granted', certificate.subject_code, certificate.valid_from >= year_in_scope.year_start),
        ('valid', certificate.subject_code, certificate.valid_until >= year_in_scope.year_end),
        ('valid_in_county', left(certificate.subject_code, 6), certificate.valid_until >= year_in_scope.year_end)
    ) as counted (field_code, subject_code, counts)
    where counted.counts
    group by 2, 5, 6, 8, 9
{%- endmacro %}

{#- Units that are open at the end of a year, and the regions that are on its map. -#}
{% macro directory_values() %}
    union all
    select
        'organization' as subject_type,
        unit.organization_code as subject_code,
        unit.organization_key,
        'directory' as form_code,
        'unit' as field_code,
        '' as breakdown,
        'year' as period_type,
        year_in_scope.year_start as period_start,
        year_in_scope.year_end as period_end,
        1::numeric as value,
        false as is_filed
    from year_in_scope
    inner join {{ at_candidate(ref('dim_organization')) }} as unit
        on year_in_scope.year_end >= unit.valid_from
            and year_in_scope.year_end < unit.valid_to
    where unit.operating_status = 'open' and unit.organization_key > 0
    union all
    select
        'region' as subject_type,
        unit.township_code as subject_code,
        null::int as organization_key,
        'directory' as form_code,
        'township_with_public_centre' as field_code,
        '' as breakdown,
        'year' as period_type,
        year_in_scope.year_start as period_start,
        year_in_scope.year_end as period_end,
        1::numeric as value,
        false as is_filed
    from year_in_scope
    inner join {{ at_candidate(ref('dim_organization')) }} as unit
        on year_in_scope.year_end >= unit.valid_from
            and year_in_scope.year_end < unit.valid_to
    where unit.operating_status = 'open' and unit.ownership = 'public' and unit.class_code ~ '^(B1|C)'
        and unit.township_code is not null
    group by 2, 8, 9
    union all
    select
        'region' as subject_type,
        case
            when place.level = 'township' then coalesce(place.parent_code, left(place.region_code, 6))
            else place.region_code
        end as subject_code,
        null::int as organization_key,
        'map' as form_code,
        place.level as field_code,
        '' as breakdown,
        span.period_type,
        span.period_start,
        span.period_end,
        count(*)::numeric as value,
        false as is_filed
    from year_in_scope
    cross join lateral (
        select 'year' as period_type, year_in_scope.year_start as period_start, year_in_scope.year_end as period_end
        union all
        select
            'quarter' as period_type,
            first_day::date as period_start,
            (first_day + interval '3 months - 1 day')::date as period_end
        from generate_series(year_in_scope.year_start, year_in_scope.year_end, interval '3 months') as first_day
    ) as span
    inner join {{ at_candidate(ref('dim_region')) }} as place
        on span.period_end >= place.valid_from
            and span.period_end < place.valid_to
    where place.level = 'township'
        -- A county without a title counts as none only where its prefecture's titles are registered; an area that its
        -- district counts has none of its own.
        or (place.level = 'county' and not place.is_counted_inside and exists (
            select from certificate
            where certificate.valid_from <= span.period_end
                and left(certificate.subject_code, 4) = left(place.region_code, 4)
        ))
    group by 2, 5, 7, 8, 9
{%- endmacro %}

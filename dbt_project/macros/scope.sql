{#-
    What a candidate rebuilds: the reports of registry.change that it claimed, as a literal condition.

    A model declares its scope in meta: {scope: report, forms: […]}, {scope: period, forms: […]}, {scope:
    following_periods} (what is held against the months before it) or {scope: all}.
    The same condition bounds what is read and what is compared, so that a night costs what changed, not what is
    stored. A table that does not exist yet is built from everything.

    What a report changes in rows of other reports is declared beside the scope: {also: later_quarters} for numbers
    that are the difference to the quarter before, {also: next_year} for stocks that name the year before's,
    {also: same_cards, card_key: […]} where a newer batch corrects cards of an older one.
-#}

{% macro literal_limit() -%}500{%- endmacro %}

{#- Condition on a report_id: is the report one that the candidate rebuilds? -#}
{% macro changed_report(column, forms=none) -%}
    {%- if not execute -%}true
    {%- else -%}
        {%- set ids = run_query(reports_to_rebuild(forms) ~ ' limit ' ~ (literal_limit() | int + 1)).columns[0].values() -%}
        {%- if ids | length == 0 -%}false
        {%- elif ids | length <= literal_limit() | int -%}
            {{ column }} = any('{ {{- ids | join(',') -}} }'::bigint[])
        {%- else -%}
            {%- set ends = run_query('select min(x.report_id), max(x.report_id) from (' ~ reports_to_rebuild(forms) ~ ') as x').rows[0] -%}
            {{ column }} between {{ ends[0] }} and {{ ends[1] }}
            and {{ column }} in ({{ reports_to_rebuild(forms) }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The reports that changed, and those whose rows follow from them. -#}
{% macro reports_to_rebuild(forms) -%}
    {%- set meta = config.get('meta') or {} -%}
    {{ candidate_changes('c.report_id', forms) }}
    {%- if meta.get('also') in ('later_quarters', 'next_year') %}
    union
    select later.report_id
    from (
        {{ candidate_changes('r.form_code, r.part, r.subject_type, r.subject_code, r.period_type, r.period_end', forms) }}
    ) as x
    inner join {{ source('registry', 'report') }} as later
        on x.form_code = later.form_code and x.part = later.part and x.subject_type = later.subject_type
            and x.subject_code = later.subject_code and x.period_type = later.period_type
            {%- if meta.also == 'next_year' %}
            and x.period_end + 1 = later.period_start
            {%- else %}
            and x.period_end < later.period_end
            and later.period_end < date_trunc('year', x.period_end) + interval '1 year'
            {%- endif %}
    {%- elif meta.get('also') == 'same_cards' %}
    {%- for form in forms %}
    union
    select other.report_id
    from ({{ candidate_changes('c.report_id', [form]) }}) as x
    inner join {{ source('registry', 'revision') }} as revision on x.report_id = revision.report_id
    inner join raw.{{ form }} as mine on revision.revision_id = mine.revision_id
    inner join raw.{{ form }} as theirs
        on {% for part in meta.card_key %}mine.{{ part }} = theirs.{{ part }}{{ ' and ' if not loop.last }}{% endfor %}
    inner join {{ source('registry', 'report') }} as other on theirs.revision_id = other.current_revision_id
    {%- endfor %}
    {%- endif %}
{%- endmacro %}

{#- Condition on a table's period_type and period_start: does a report that changed have its part in this period? With
    `following`, or in the months after it in the year, or a year later? -#}
{% macro changed_period(alias, forms=none, following=false) -%}
    {%- if not execute -%}true
    {%- else -%}
        {%- set query -%}
            select distinct p.period_type, p.period_start from (
                {{ candidate_changes('r.form_code, r.period_type, r.period_start, r.period_end', forms) }}
            ) as x,
            lateral (
                select x.period_type, x.period_start
                union all
                select 'year', date_trunc('year', x.period_start)::date
                where x.period_type in ('month', 'quarter', 'cumulative_quarter')
                union all
                {#- Rates over last year's residents. #}
                select x.period_type, (x.period_start + make_interval(years => part.year_offset))::date
                from staging.indicator_part as part
                where part.form_code = x.form_code and part.year_offset > 0
                union all
                select 'year', (date_trunc('year', x.period_start) + make_interval(years => part.year_offset))::date
                from staging.indicator_part as part
                where part.form_code = x.form_code and part.year_offset > 0
                    and x.period_type in ('month', 'quarter', 'cumulative_quarter')
                {#- Events count in the years in which they happened. #}
                union all
                select span.period_type, span.period_start
                from {{ years_of_events('x') }} as y (year),
                lateral (
                    values ('year', make_date(y.year, 1, 1)), ('mch_year', make_date(y.year - 1, 10, 1)),
                    ('mch_year', make_date(y.year, 10, 1))
                ) as span (period_type, period_start)
                where x.period_type = 'event'
                {%- if following %}
                union all
                select x.period_type, (x.period_start + interval '1 year')::date
                union all
                select 'month', later::date
                from generate_series(
                    x.period_start + interval '1 month', date_trunc('year', x.period_start) + interval '11 months',
                    interval '1 month'
                ) as later
                where x.period_type = 'month'
                {%- endif %}
            ) as p (period_type, period_start)
        {%- endset -%}
        {%- set periods = run_query(query ~ ' limit ' ~ (literal_limit() | int + 1)).rows -%}
        {%- if periods | length == 0 -%}false
        {%- elif periods | length <= literal_limit() | int -%}
            ({{ alias }}.period_type, {{ alias }}.period_start) in (
                {%- for period in periods -%}
                    ('{{ period[0] }}', date '{{ period[1] }}'){{ ', ' if not loop.last }}
                {%- endfor -%}
            )
        {%- else -%}
            ({{ alias }}.period_type, {{ alias }}.period_start) in ({{ query }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The years of a changed report. What was granted for years to come counts in all of them. -#}
{% macro years_of_events(alias) -%}
    generate_series(
        date_part('year', {{ alias }}.period_start)::int,
        case
            when {{ alias }}.form_code = 'certification_register'
                then greatest(
                    date_part('year', {{ alias }}.period_end)::int,
                    (select date_part('year', max(known.period_end))::int from {{ source('registry', 'report') }} as known)
                )
            else date_part('year', {{ alias }}.period_end)::int
        end
    )
{%- endmacro %}

{#- First and last day that the periods of changed_period reach: bounds for reading the facts below. -#}
{% macro changed_days(column, forms=none) -%}
    {%- if not reads_changes() -%}true
    {%- else -%}
        {%- set query -%}
            select distinct y.year + shift.years from (
                {{ candidate_changes('r.form_code, r.period_type, r.period_start, r.period_end', forms) }}
            ) as x
            cross join lateral {{ years_of_events('x') }} as y (year)
            cross join lateral (
                select 0 as years
                {#- What a changed table of residents shifts into is computed with everything else of that year, and
                    a year that changed may rest on residents of the year before. #}
                union select part.year_offset from staging.indicator_part as part
                where part.form_code = x.form_code and part.year_offset > 0
                union select -part.year_offset from staging.indicator_part as part where part.year_offset > 0
                {%- if (config.get('meta') or {}).get('scope') == 'following_periods' %}
                union select 1
                {%- endif %}
            ) as shift
            order by 1
        {%- endset -%}
        {%- set years = run_query(query).columns[0].values() -%}
        {%- if years | length == 0 -%}false
        {%- else -%}
            {#- One range, which an index finds, and within it the years if some are left out. #}
            ({{ column }} between date '{{ years | first }}-01-01' and date '{{ years | last }}-12-31'
            {%- if (years | last) - (years | first) >= years | length %} and (
                {%- for year in years -%}
                    {{ column }} between date '{{ year }}-01-01' and date '{{ year }}-12-31'
                    {{- ' or ' if not loop.last -}}
                {%- endfor -%}
            ){% endif %})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The condition of the model being built, on the table that it writes. -#}
{% macro scope(alias) -%}
    {%- set meta = (config.get('meta') or {}) if execute else {} -%}
    {%- if meta.get('scope') == 'report' -%}{{ changed_report(alias ~ '.report_id', meta.get('forms')) }}
    {%- elif meta.get('scope') in ('period', 'following_periods') -%}
        {{ changed_period(alias, meta.get('forms'), meta.scope == 'following_periods') }}
    {%- else -%}true
    {%- endif -%}
{%- endmacro %}

{#- Is only what changed read? Everything is, as long as the table does not exist, or the one that it is a step to. -#}
{% macro reads_changes() -%}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {%- set goal = (config.get('meta') or {}).get('step_to') -%}
    {%- if goal -%}{{ return(adapter.get_relation(target.database, 'star', goal) is not none) }}{%- endif -%}
    {{ return(is_incremental()) }}
{%- endmacro %}

{#- The same condition on what the model reads: everything as long as the table does not exist. -#}
{% macro in_scope(alias) -%}
    {%- if reads_changes() -%}{{ scope(alias) }}{%- else -%}true{%- endif -%}
{%- endmacro %}

{% macro candidate_changes(columns, forms) -%}
    select distinct {{ columns }}
    from {{ source('registry', 'change') }} as c
    inner join {{ source('registry', 'report') }} as r on c.report_id = r.report_id
    where c.release_id = {{ candidate_release() }}
    {%- if forms %} and r.form_code in ('{{ forms | join("', '") }}'){% endif %}
{%- endmacro %}

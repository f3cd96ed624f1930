-- Question 14. If a unit's report is withdrawn, which published indicators change: numerator and denominator before
-- and after, value after? Of the unit itself, its town, county, prefecture and province, slice by slice.
-- The units' numbers of the period are added up as fct_indicator does it (docs/indicators.md), once with the report
-- and once without. Where the star does not tell what would be left, the numbers after are empty and not_told says why:
-- records counted by what they say, stocks of two years, a year made of months and years, slices by beds, a region
-- that files for itself, the last report but one of a prefecture, and whatever does not add up to the published number.
-- A denominator of which nothing is left is empty. Of reports of regions and of cards nothing is told;
-- nor of counts of hospitals by their beds, which take the beds from the year's form.
-- Steps are materialized: the planner expects few rows of them, and would make them again for each.
with recursive report as (
    select
        filed.form_code,
        filed.subject_code,
        filed.period_type,
        filed.period_start,
        filed.period_end
    from {{ published(ref('dim_report')) }} as filed
    where filed.form_code = '{{ var("form", "hosp_monthly") }}' and filed.subject_type = 'organization'
        and filed.subject_code = '{{ var("unit", "LH-H02") }}' and filed.revision_id is not null
        and filed.period_start = date '{{ var("month", "2015-03-01") }}' and filed.period_type <> 'event'
    group by filed.form_code, filed.subject_code, filed.period_type, filed.period_start, filed.period_end
),

-- The parts of every indicator that the form feeds, of this and of other forms. A field of records that meet a
-- condition is told only where one record is all there is and the condition holds a number against another.
part as materialized (
    select
        part.indicator_code,
        part.period_type,
        part.part,
        part.form_code,
        part.field_code,
        part.breakdown,
        part.condition,
        part.slice_rule,
        part.over_time,
        part.coefficient,
        part.is_per_day,
        part.year_offset,
        part.field_code like 'distinct %' or part.field_code like '_%*_%' or coalesce(part.about, '') <> ''
        or part.form_code = 'task_progress' or coalesce(part.slice, '') <> ''
        or (part.condition <> '' and (part.field_code <> '*' or part.condition !~ '^[a-z0-9_]+[<>][0-9]+$'))
            as is_of_records,
        part.form_code = report.form_code as is_fed
    from {{ published(ref('bridge_indicator_part')) }} as part
    cross join report
    where (
        part.period_type = report.period_type
        or (part.period_type = 'year' and report.period_type in ('month', 'quarter', 'cumulative_quarter'))
    )
    and exists (
        select from {{ published(ref('bridge_indicator_part')) }} as fed
        where fed.indicator_code = part.indicator_code and fed.period_type = part.period_type
            and fed.form_code = report.form_code
    )
),

recipe as materialized (
    select
        part.indicator_code,
        part.period_type,
        indicator.by_organization,
        indicator.scale,
        indicator.denominator is not null as is_ratio,
        indicator.aggregation_class = 'MS' and indicator.denominator is null as is_minimum,
        max(part.slice_rule) filter (where part.part = 'numerator') as numerator_rule,
        max(part.slice_rule) filter (where part.part = 'denominator') as denominator_rule,
        bool_or(part.is_fed and part.part = 'numerator') as feeds_numerator,
        bool_or(part.is_fed and part.part = 'denominator') as feeds_denominator,
        bool_or(part.form_code = 'directory') as counts_units,
        bool_or(part.over_time = 'sum') as adds_periods,
        bool_or(part.is_fed and part.is_of_records) as is_of_records,
        bool_or(part.is_fed and part.year_offset <> 0) as is_of_two_years
    from part
    inner join {{ published(ref('dim_indicator')) }} as indicator
        on part.indicator_code = indicator.indicator_code
    group by
        part.indicator_code, part.period_type, indicator.by_organization, indicator.scale, indicator.denominator,
        indicator.aggregation_class
),

-- The units as they were, what they count for, and how far above them that is.
unit as (
    select
        organization.*,
        organization.organization_code = report.subject_code as is_withdrawn
    from {{ published(ref('dim_organization')) }} as organization
    cross join report
    where organization.organization_key > 0
        and report.period_end >= organization.applies_from and report.period_end < organization.valid_to
),

region_above as (
    select distinct
        unit.region_code,
        unit.region_code as above_code,
        0 as steps,
        unit.region_code as child_code
    from unit
    where unit.region_code is not null
    union all
    select
        below.region_code,
        superior.region_code as above_code,
        below.steps + 1 as steps,
        below.above_code as child_code
    from region_above as below
    cross join report
    left join {{ published(ref('dim_region')) }} as spell
        on below.above_code = spell.region_code
            and report.period_end >= spell.applies_from
            and report.period_end < spell.valid_to
    cross join
        lateral (
            values (coalesce(spell.parent_code, {{ superior_by_code('below.above_code') }}))
        ) as superior (region_code)
    where superior.region_code <> '000000' and not coalesce(spell.is_counted_inside, false) and below.steps < 6
),

unit_place as materialized (
    select
        unit.organization_code,
        unit.is_withdrawn,
        place.*
    from unit
    cross join
        lateral (
            select
                'organization' as subject_type,
                unit.organization_code as place_code,
                0 as steps,
                unit.organization_code as child_code,
                true as is_all_alone
            union all
            select
                'region' as subject_type,
                unit.township_code as place_code,
                0 as steps,
                unit.township_code as child_code,
                true as is_all_alone
            where unit.township_code is distinct from unit.region_code and unit.township_code is not null
            union all
            select
                'region' as subject_type,
                above.above_code as place_code,
                above.steps,
                above.child_code,
                false as is_all_alone
            from region_above as above
            where unit.region_code = above.region_code
        ) as place
),

-- What units do goes by the class that their services count in; how many there are, by that of the register.
unit_slice as materialized (
    select
        unit.organization_code,
        counted.as_unit,
        slice.slice
    from unit
    cross join
        lateral (
            values (false, unit.class_group), (true, unit.registered_class_group)
        ) as counted (as_unit, class_group)
    inner join {{ published(ref('dim_slice')) }} as slice
        on slice.slice = 'all'
            or unit.region_code ~ slice.region_pattern
            or (
                concat(slice.class_group, slice.ownership, slice.class_pattern, slice.level, slice.grade) <> ''
                and (coalesce(slice.class_group, '') = '' or counted.class_group = slice.class_group)
                and (coalesce(slice.ownership, '') = '' or unit.ownership = slice.ownership)
                and (coalesce(slice.class_pattern, '') = '' or unit.class_code ~ slice.class_pattern)
                and (coalesce(slice.level, '') = '' or unit.level = any(string_to_array(slice.level, '|')))
                and (coalesce(slice.grade, '') = '' or unit.grade = slice.grade)
            )
    where slice.beds_from is null
),

-- Every report of the period, and the numbers of units with and without the report; of several, the one received last.
same_period as materialized (
    select
        filed.*,
        filed.form_code = report.form_code and filed.subject_code = report.subject_code as is_withdrawn
    from {{ published(ref('dim_report')) }} as filed
    inner join report
        on filed.period_type = report.period_type
            and filed.period_start = report.period_start
            and filed.period_end = report.period_end
    where filed.form_code in (select part.form_code from part)
),

given as materialized (
    select distinct on (world.is_without, filed.subject_code, filed.form_code, value.field_code, value.breakdown)
        world.is_without,
        filed.subject_code,
        filed.form_code,
        filed.record_count,
        value.field_code,
        value.breakdown,
        value.value
    from same_period as filed
    inner join {{ published(ref('fct_reported_value')) }} as value
        on filed.report_id = value.report_id
    cross join (values (false), (true)) as world (is_without)
    where filed.subject_type = 'organization' and value.value is not null
        and not (filed.is_withdrawn and world.is_without)
    order by
        world.is_without asc, filed.subject_code asc, filed.form_code asc, value.field_code asc, value.breakdown asc,
        coalesce(filed.received_at, '-infinity') desc, filed.report_id desc
),

counted as materialized (
    -- A total beside its parts would count twice.
    select
        given.is_without,
        given.subject_code,
        part.indicator_code,
        part.period_type,
        part.part,
        coalesce(
            nullif(count(*) filter (where part.breakdown <> '%' or given.breakdown <> 'TOTAL'), 0), count(*)
        ) as given,
        coalesce(
            sum(given.value) filter (where part.breakdown <> '%' or given.breakdown <> 'TOTAL'), sum(given.value)
        ) * part.coefficient
        / case
            when part.is_per_day and part.part = 'denominator' then report.period_end - report.period_start + 1
            else 1
        end
        -- Of a stock among flows only the year's end counts, and beside it what was done before.
        * case
            when part.over_time = 'before_last' and extract(month from report.period_end) = 12 then 0
            when part.over_time = 'last' and recipe.adds_periods and extract(month from report.period_end) < 12 then 0
            else 1
        end as amount
    from given
    cross join report
    inner join part
        on given.form_code = part.form_code
            and given.field_code = part.field_code
            and given.breakdown like part.breakdown
            and not part.is_of_records and part.condition = '' and part.year_offset = 0
    inner join recipe
        on part.indicator_code = recipe.indicator_code and part.period_type = recipe.period_type
    group by
        given.is_without, given.subject_code, part.indicator_code, part.period_type, part.part, part.form_code,
        part.field_code, part.breakdown, part.coefficient, part.is_per_day, part.over_time, recipe.adds_periods,
        report.period_start, report.period_end
    union all
    -- Records: of a condition a report of one record tells whether it holds.
    select
        world.is_without,
        filed.subject_code,
        part.indicator_code,
        part.period_type,
        part.part,
        1 as given,
        part.coefficient * case
            when part.condition = '' then filed.record_count
            when filed.record_count = 1 and part.condition like '%>%'
                then (given.value > split_part(part.condition, '>', 2)::numeric)::int
            when filed.record_count = 1 then (given.value < split_part(part.condition, '<', 2)::numeric)::int
        end as amount
    from same_period as filed
    cross join (values (false), (true)) as world (is_without)
    inner join part
        on filed.form_code = part.form_code and part.field_code = '*' and not part.is_of_records
    left join given
        on filed.subject_code = given.subject_code
            and filed.form_code = given.form_code
            and world.is_without = given.is_without
            and given.field_code = substring(part.condition from '^[a-z0-9_]+')
    where filed.subject_type = 'organization' and filed.revision_id is not null
        and not (filed.is_withdrawn and world.is_without)
),

-- A part that is a sum of fields needs all that its form has.
needed as materialized (
    select
        per_form.subject_code,
        per_form.indicator_code,
        per_form.period_type,
        max(per_form.numerator_fields) as numerator_fields,
        max(per_form.denominator_fields) as denominator_fields
    from (
        select
            filed.subject_code,
            part.indicator_code,
            part.period_type,
            count(*) filter (where part.part = 'numerator') as numerator_fields,
            count(*) filter (where part.part = 'denominator') as denominator_fields
        from (
            select distinct
                same_period.subject_code,
                same_period.form_code
            from same_period
            where same_period.subject_type = 'organization'
        ) as filed
        inner join part
            on filed.form_code = part.form_code
        group by filed.subject_code, filed.form_code, part.indicator_code, part.period_type
    ) as per_form
    group by per_form.subject_code, per_form.indicator_code, per_form.period_type
),

both_parts as (
    select
        world.is_without,
        needed.subject_code,
        needed.indicator_code,
        needed.period_type,
        needed.numerator_fields > 0 and needed.denominator_fields > 0
        and recipe.numerator_rule = 'own' and recipe.denominator_rule = 'own' as counts_with_both,
        case
            when sum(counted.given) filter (where counted.part = 'numerator') >= needed.numerator_fields
                then sum(counted.amount) filter (where counted.part = 'numerator')
        end as numerator,
        case
            when sum(counted.given) filter (where counted.part = 'denominator') >= needed.denominator_fields
                then sum(counted.amount) filter (where counted.part = 'denominator')
        end as denominator
    from needed
    cross join (values (false), (true)) as world (is_without)
    inner join recipe
        on needed.indicator_code = recipe.indicator_code and needed.period_type = recipe.period_type
    left join counted
        on needed.subject_code = counted.subject_code
            and needed.indicator_code = counted.indicator_code
            and needed.period_type = counted.period_type
            and world.is_without = counted.is_without
    group by
        world.is_without, needed.subject_code, needed.indicator_code, needed.period_type, needed.numerator_fields,
        needed.denominator_fields, recipe.numerator_rule, recipe.denominator_rule
),

-- Where one report carries both parts of a rate, a unit counts with both or with neither.
of_unit as materialized (
    select
        is_without,
        subject_code,
        indicator_code,
        period_type,
        case when not counts_with_both or denominator is not null then numerator end as numerator,
        case when not counts_with_both or numerator is not null then denominator end as denominator
    from both_parts
),

-- The places and slices that the withdrawn report counts for, with all units that report and count there.
belonging as materialized (
    select
        place.*,
        unit_slice.as_unit,
        unit_slice.slice
    from unit_place as place
    inner join unit_slice
        on place.organization_code = unit_slice.organization_code
            and (unit_slice.slice = 'all' or not place.is_all_alone)
    where place.place_code in (
            select mine.place_code from unit_place as mine
            where mine.is_withdrawn
        )
),

of_place as (
    select
        place.subject_type,
        place.place_code,
        of_unit.indicator_code,
        of_unit.period_type,
        place.slice,
        count(distinct place.child_code) filter (where not place.is_withdrawn) as children_without,
        count(of_unit.numerator) filter (where not of_unit.is_without) as reports_with,
        count(of_unit.numerator) filter (where of_unit.is_without) as reports_without,
        case
            when recipe.is_minimum then min(of_unit.numerator) filter (where not of_unit.is_without)
            else sum(of_unit.numerator) filter (where not of_unit.is_without)
        end as numerator_with,
        case
            when recipe.is_minimum then min(of_unit.numerator) filter (where of_unit.is_without)
            else sum(of_unit.numerator) filter (where of_unit.is_without)
        end as numerator_without,
        sum(of_unit.denominator) filter (where not of_unit.is_without) as denominator_with,
        sum(of_unit.denominator) filter (where of_unit.is_without) as denominator_without
    from of_unit
    inner join recipe
        on of_unit.indicator_code = recipe.indicator_code and of_unit.period_type = recipe.period_type
    inner join belonging as place
        on of_unit.subject_code = place.organization_code
            and recipe.counts_units = place.as_unit
            and (recipe.by_organization or not place.is_all_alone)
    group by
        place.subject_type, place.place_code, of_unit.indicator_code, of_unit.period_type, place.slice,
        recipe.is_minimum
),

-- The published rows that the unit has a part in, and from which slices their numerator and denominator come.
touched as (
    select
        fact.*,
        recipe.scale,
        recipe.is_ratio,
        recipe.is_minimum,
        recipe.is_of_records,
        recipe.is_of_two_years,
        recipe.feeds_numerator,
        recipe.feeds_denominator,
        place.steps,
        slice.beds_from is not null as is_by_beds,
        fact.period_type <> report.period_type as is_rolled_up,
        case recipe.numerator_rule
            when 'own' then fact.slice
            when 'parent' then slice.parent_slice
            else recipe.numerator_rule
        end as numerator_slice,
        case recipe.denominator_rule
            when 'own' then fact.slice
            when 'parent' then slice.parent_slice
            else recipe.denominator_rule
        end as denominator_slice
    from {{ published(ref('fct_indicator')) }} as fact
    cross join report
    inner join recipe
        on fact.indicator_code = recipe.indicator_code and fact.period_type = recipe.period_type
    inner join {{ published(ref('dim_slice')) }} as slice
        on fact.slice = slice.slice
    inner join unit_place as place
        on fact.subject_type = place.subject_type and fact.subject_code = place.place_code and place.is_withdrawn
    where (
        (fact.period_start = report.period_start and fact.period_end = report.period_end)
        or (
            fact.period_type <> report.period_type and report.period_start between fact.period_start and fact.period_end
            and (recipe.adds_periods or fact.period_end = report.period_end)
        )
        -- A stock that is held against the year before's.
        or (recipe.is_of_two_years and fact.period_start = report.period_start + interval '1 year')
    )
    and (recipe.by_organization or not place.is_all_alone)
),

-- Reports of the year that feed the same part: those that regions file, and those of other kinds of period.
other as (
    select distinct
        mine.indicator_code,
        mine.period_type,
        filed.subject_type,
        filed.subject_code,
        filed.period_type <> report.period_type as is_of_other_period
    from report
    inner join part as mine
        on report.form_code = mine.form_code
    inner join part as theirs
        on mine.indicator_code = theirs.indicator_code
            and mine.period_type = theirs.period_type
            and mine.part = theirs.part
    inner join {{ published(ref('dim_report')) }} as filed
        on theirs.form_code = filed.form_code
    where filed.revision_id is not null
        and filed.period_type in ('month', 'quarter', 'cumulative_quarter', 'year', report.period_type)
        and (
            (filed.period_type = report.period_type and filed.period_start = report.period_start)
            or date_trunc('year', filed.period_start) = date_trunc('year', report.period_start)
        )
        and (filed.subject_type = 'region' or filed.period_type <> report.period_type)
),

left_over as (
    select
        touched.*,
        coalesce(above.reports_with, 0) - coalesce(above.reports_without, 0) as reports_lost,
        touched.is_rolled_up and (
            (above.numerator_with is not null and above.numerator_without is null)
            or (below.denominator_with is not null and below.denominator_without is null)
        ) as is_period_lost,
        above.numerator_with,
        above.numerator_without as numerator_left,
        below.denominator_with,
        below.denominator_without as denominator_left,
        case
            when touched.is_of_two_years then '用到两个年度的数'
            when touched.is_of_records then '按记录内容计数'
            when touched.is_by_beds then '按床位分组'
            when touched.is_minimum and touched.is_rolled_up then '各期最小值之和'
            when exists (
                    select from other
                    where other.indicator_code = touched.indicator_code and other.period_type = touched.period_type
                        and touched.period_type = 'year' and other.is_of_other_period
                ) then '年度数由几种报告期汇成'
            when touched.subject_type = 'region' and exists (
                    select from other
                    where other.indicator_code = touched.indicator_code and other.period_type = touched.period_type
                        and other.subject_type = 'region'
                        and other.subject_code in (
                            select unit_place.place_code from unit_place
                            where unit_place.is_withdrawn
                        )
                ) then '地区自行填报'
            when touched.steps > 0 and touched.subject_code like '%00'
                and coalesce(above.children_without, below.children_without, 0) < 2
                then '只剩一个下级地区'
            when not touched.is_rolled_up and (
                    (
                        (above.numerator_with is distinct from above.numerator_without)
                        and above.numerator_with is distinct from touched.numerator
                    )
                    or (
                        (below.denominator_with is distinct from below.denominator_without)
                        and below.denominator_with is distinct from touched.denominator
                    )
                ) then '与公布数不合'
        end as not_told
    from touched
    left join of_place as above
        on touched.subject_type = above.subject_type
            and touched.subject_code = above.place_code
            and touched.indicator_code = above.indicator_code
            and touched.period_type = above.period_type
            and touched.numerator_slice = above.slice
    left join of_place as below
        on touched.subject_type = below.subject_type
            and touched.subject_code = below.place_code
            and touched.indicator_code = below.indicator_code
            and touched.period_type = below.period_type
            and touched.denominator_slice = below.slice
),

result as (
    select
        left_over.*,
        case
            when left_over.not_told is not null then null
            when left_over.reports_lost > 0 and left_over.reports_lost >= left_over.reports_counted then null
            when (left_over.numerator_with is not distinct from left_over.numerator_left) then left_over.numerator
            when left_over.is_minimum then left_over.numerator_left
            else left_over.numerator - left_over.numerator_with + coalesce(left_over.numerator_left, 0)
        end as numerator_without,
        case
            when left_over.not_told is not null then null
            when (left_over.denominator_with is not distinct from left_over.denominator_left) then left_over.denominator
            else nullif(left_over.denominator - left_over.denominator_with + coalesce(left_over.denominator_left, 0), 0)
        end as denominator_without
    from left_over
)

select
    subject_type,
    subject_code,
    indicator_code,
    slice,
    period_type,
    period_start,
    trim_scale(numerator) as numerator,
    trim_scale(numerator_without) as numerator_without,
    trim_scale(denominator) as denominator,
    trim_scale(denominator_without) as denominator_without,
    value,
    case
        when status <> 'computed' or is_period_lost then null
        when is_ratio then trim_scale(round(numerator_without * scale / nullif(denominator_without, 0), 8))
        else trim_scale(numerator_without)
    end as value_without,
    not_told
from result
where (not_told is not null and (numerator <> 0 or denominator <> 0))
    or (
        not_told is null
        and (
            (numerator is distinct from numerator_without)
            or denominator_with is distinct from denominator_left
        )
    )
order by subject_type, subject_code, indicator_code, slice, period_type

-- Grain: one row per printed figure, kind of test that it is put to, and what it is held against.
{{ config(unique_key=['plan_code', 'figure_no', 'kind', 'ordinal'], meta={'scope': 'all'}) }}
-- Figures that plans print, held against each other: what no report can explain is wrong in the print.
with indicator as (
    select
        listed.indicator_code,
        listed.name_zh,
        listed.unit,
        listed.scale,
        listed.aggregation_class,
        listed.numerator as numerator_name,
        nullif(listed.denominator, '') as denominator_name,
        (regexp_match(listed.numerator, '^(\w+)\{(\w+)\}$'))[1] as sliced_base,
        (regexp_match(listed.numerator, '^(\w+)\{(\w+)\}$'))[2] as sliced_by,
        split_part(listed.denominator, '{', 1) as denominator_base,
        (regexp_match(listed.denominator, '^\w+\{(\w+)\}$'))[1] as denominator_by
    from {{ at_candidate(ref('dim_indicator')) }} as listed
),

figure as (
    select
        printed.plan_code,
        printed.figure_no,
        printed.line_no,
        printed.indicator_code,
        printed.slice,
        printed.kind,
        printed.operator,
        printed.value,
        printed.value_text,
        printed.region_code,
        printed.period_type,
        printed.period_start,
        printed.quote,
        printed.every_unit_of,
        extract(year from printed.period_end)::int as year,
        coalesce(printed.decimals, 0) as decimals,
        -- Half of the last printed digit; a figure given as "about" is good to a twentieth.
        -- A count is what it says.
        case
            when printed.operator = 'about' then abs(printed.value) / 20
            when indicator.denominator_name is null and coalesce(printed.decimals, 0) = 0 then 0
            else power(10::numeric, -coalesce(printed.decimals, 0)) / 2
        end as half_digit,
        indicator.name_zh,
        indicator.unit,
        indicator.scale,
        indicator.aggregation_class,
        indicator.numerator_name,
        indicator.denominator_name,
        indicator.sliced_base,
        indicator.sliced_by,
        indicator.denominator_base,
        indicator.denominator_by,
        plan.plan_type,
        plan.period_start as plan_start
    from {{ at_candidate(ref('dim_plan_figure')) }} as printed
    inner join indicator on printed.indicator_code = indicator.indicator_code
    left join {{ at_candidate(ref('dim_plan')) }} as plan on printed.plan_code = plan.plan_code
),

stated as (
    select * from figure
    where kind in ('actual', 'baseline') and operator in ('=', 'about') and value is not null
        and region_code is not null and year is not null
),

-- One row for each count, and those that a printed share of a printed whole stands for.
counted as (
    select distinct on (stated.plan_code, stated.region_code, stated.year, stated.indicator_code, stated.slice)
        stated.plan_code,
        stated.region_code,
        stated.year,
        stated.indicator_code,
        stated.numerator_name,
        stated.slice,
        stated.value - case when stated.operator = 'about' then stated.half_digit else 0 end as lowest,
        stated.value + case when stated.operator = 'about' then stated.half_digit else 0 end as highest,
        stated.value
    from stated
    where stated.denominator_name is null
    order by stated.plan_code, stated.region_code, stated.year, stated.indicator_code, stated.slice, stated.figure_no
),

share_of_count as (
    select
        share.plan_code,
        share.region_code,
        share.year,
        whole.indicator_code,
        whole.numerator_name,
        share.slice,
        ceil(whole.value * (share.value - share.half_digit) / share.scale) as lowest,
        floor(whole.value * (share.value + share.half_digit) / share.scale) as highest,
        round(whole.value * share.value / share.scale) as value
    from stated as share
    inner join {{ at_candidate(ref('dim_slice')) }} as slice on share.slice = slice.slice
    inner join counted as whole
        on share.plan_code = whole.plan_code and share.region_code = whole.region_code and share.year = whole.year
            and share.sliced_base = whole.numerator_name and slice.parent_slice = whole.slice
    where share.sliced_by = 'slice'
        and not exists (
            select from counted as given
            where given.plan_code = share.plan_code and given.year = share.year
                and given.indicator_code = whole.indicator_code and given.slice = share.slice
        )
),

count_of as (
    select * from counted
    union all
    select * from share_of_count
),

-- Slices of the form of words that the catalogue of indicators uses.
same_slice as (
    select listed.*
    from (
        values
        ('social_run', 'private_hospital'),
        ('hospital,public', 'public_hospital')
    ) as listed (said, meant)
),

parts_of_rate as (
    select
        whole.plan_code,
        whole.figure_no,
        count(*) as parts,
        min(part.value) as lowest,
        max(part.value) as highest,
        sum(weight.value) as weights,
        count(weight.value) as weighed,
        sum(part.value * weight.value) / nullif(sum(weight.value), 0) as mean
    from stated as whole
    inner join {{ at_candidate(ref('dim_slice')) }} as slice on whole.slice = slice.parent_slice
    inner join stated as part
        on whole.plan_code = part.plan_code and whole.region_code = part.region_code and whole.year = part.year
            and whole.indicator_code = part.indicator_code and slice.slice = part.slice
    left join count_of as weight
        on part.plan_code = weight.plan_code and part.region_code = weight.region_code and part.year = weight.year
            and part.slice = weight.slice and weight.indicator_code = 'beds_actual'
            and part.indicator_code = 'bed_occupancy_rate'
    where whole.denominator_name is not null and whole.sliced_base is null
    group by whole.plan_code, whole.figure_no
    having count(*) > 1
),

-- Totals with all their parts printed: classes of staff, and slices of a count.
addend as (
    select
        whole.plan_code,
        whole.figure_no,
        part.indicator_code as part_name,
        part.value
    from stated as whole
    inner join {{ at_candidate(ref('bridge_indicator_sum')) }} as adds on whole.indicator_code = adds.indicator_code
    left join counted as part
        on whole.plan_code = part.plan_code and whole.region_code = part.region_code and whole.year = part.year
            and whole.slice = part.slice and adds.part_code = part.indicator_code
    union all
    select
        whole.plan_code,
        whole.figure_no,
        part.slice as part_name,
        part.value
    from stated as whole
    inner join (
        values ('all', 'hospital'),
        ('all', 'primary_care'),
        ('hospital', 'public_hospital'),
        ('hospital', 'private_hospital')
    ) as adds (whole_slice, part_slice) on whole.slice = adds.whole_slice
    left join counted as part
        on whole.plan_code = part.plan_code and whole.region_code = part.region_code and whole.year = part.year
            and whole.indicator_code = part.indicator_code and adds.part_slice = part.slice
    where whole.denominator_name is null and whole.aggregation_class in ('FL', 'ST')
        and whole.indicator_code not in (
            select listed.indicator_code from {{ at_candidate(ref('bridge_indicator_sum')) }} as listed
        )
),

added as (
    select
        plan_code,
        figure_no,
        sum(value) as total,
        array_agg(value order by value desc) as addends,
        array_agg(part_name order by value desc) as names
    from addend
    group by plan_code, figure_no
    having count(*) = count(value) and count(*) > 1
),

-- What a rate with its count says about the population below it.
implied as (
    select
        rate.plan_code,
        rate.figure_no,
        rate.region_code,
        rate.year,
        rate.indicator_code,
        rate.slice,
        rate.denominator_name,
        rate.value,
        number.lowest * rate.scale / (rate.value + rate.half_digit) as lowest,
        number.highest * rate.scale / nullif(rate.value - rate.half_digit, 0) as highest
    from stated as rate
    inner join count_of as number
        on rate.plan_code = number.plan_code and rate.region_code = number.region_code and rate.year = number.year
    left join same_slice
        on (regexp_match(rate.numerator_name, '\{(.*)\}'))[1] = same_slice.said
    where rate.value > rate.half_digit and rate.denominator_name is not null
        and number.slice = coalesce(same_slice.meant, rate.slice)
        and split_part(rate.numerator_name, '{', 1) in (number.numerator_name, number.indicator_code)
        and (position('{' in rate.numerator_name) = 0 or same_slice.meant is not null)
        -- Shares of one another are recomputed, not turned round; residents differ by the day they are counted on,
        -- by less than a fiftieth.
        and (
            rate.denominator_name like 'resident_population%'
            or rate.denominator_name in ('live_births', 'children_0_6')
        )
),

population as (
    select
        implied.*,
        case
            when implied.denominator_name like 'resident_population%' then 'residents' else implied.denominator_name
        end
            as population
    from implied
),

disagreeing as (
    select
        here.plan_code,
        here.figure_no,
        count(*) as others,
        count(*) filter (
            where there.lowest
            > here.highest * case when here.denominator_name = there.denominator_name then 1 else 1.02 end
            or there.highest
            < here.lowest / case when here.denominator_name = there.denominator_name then 1 else 1.02 end
        ) as against
    from population as here
    inner join population as there
        on here.plan_code = there.plan_code and here.region_code = there.region_code and here.year = there.year
            and here.population = there.population and here.figure_no <> there.figure_no
    group by here.plan_code, here.figure_no
),

births as (
    select
        plan_code,
        region_code,
        year,
        min(lowest) as lowest,
        max(highest) as highest,
        min(highest) as fewest
    from population
    where population = 'live_births'
    group by plan_code, region_code, year
),

-- Rates and shares whose numerator and denominator are printed, too.
recomputed as (
    select
        share.plan_code,
        share.figure_no,
        above.value as numerator,
        below.value as denominator,
        above.value * share.scale / nullif(below.value, 0) as value
    from stated as share
    left join {{ at_candidate(ref('dim_slice')) }} as own on share.slice = own.slice
    left join same_slice on share.sliced_by = same_slice.said
    inner join counted as above
        on share.plan_code = above.plan_code and share.region_code = above.region_code and share.year = above.year
            and coalesce(share.sliced_base, share.numerator_name) in (above.numerator_name, above.indicator_code)
            and above.slice = coalesce(
                same_slice.meant,
                case when share.sliced_by = 'slice' then share.slice else share.sliced_by end,
                share.slice
            )
    inner join counted as below
        on share.plan_code = below.plan_code and share.region_code = below.region_code and share.year = below.year
            and share.denominator_base in (below.numerator_name, below.indicator_code)
            and below.slice = coalesce(
                case when share.denominator_by = 'parent_slice' then own.parent_slice else share.denominator_by end,
                'all'
            )
    where share.denominator_name is not null
),

twin as (
    select
        here.plan_code,
        here.figure_no,
        there.value,
        there.figure_no as other_no,
        greatest(
            here.value - here.half_digit - there.value - there.half_digit,
            there.value - there.half_digit - here.value - here.half_digit
        ) as gap,
        here.value::text as here_text,
        there.value::text as there_text
    from stated as here
    inner join stated as there
        on here.plan_code = there.plan_code and here.region_code = there.region_code and here.year = there.year
            and here.indicator_code = there.indicator_code and here.slice = there.slice
            and here.figure_no < there.figure_no and here.value <> there.value
),

target as (
    select
        figure.*,
        base.value as base_value,
        base.operator as base_operator
    from figure
    left join lateral (
        select
            start.value,
            start.operator
        from figure as start
        where start.plan_code = figure.plan_code and start.indicator_code = figure.indicator_code
            and start.slice = figure.slice and start.region_code = figure.region_code
            and start.kind = 'baseline' and start.value is not null and start.year < figure.year
        order by start.year desc, start.figure_no asc
        limit 1
    ) as base on true
    where figure.kind = 'target'
),

cohort as (
    select listed.*
    from (
        values
        ('newborn screening', 'newborn_metabolic_screened', true),
        ('newborn screening', 'newborn_hearing_screened', true),
        ('tests in pregnancy', 'pregnant_hiv_tests', true),
        ('tests in pregnancy', 'pregnant_syphilis_tests', true),
        ('tests in pregnancy', 'pregnant_hbv_tests', true),
        ('two cancers', 'cervical_cancer_screened', false),
        ('two cancers', 'breast_cancer_screened', false)
    ) as listed (bundle, indicator_code, of_births)
),

bundle as (
    select
        number.plan_code,
        number.region_code,
        number.year,
        cohort.bundle,
        min(number.value) as lowest,
        max(number.value) as highest,
        (array_agg(number.indicator_code order by number.value))[1] as indicator_code
    from cohort
    inner join counted as number on cohort.indicator_code = number.indicator_code
    group by number.plan_code, number.region_code, number.year, cohort.bundle
    having min(number.value) <> max(number.value)
),

grouping_of as (
    select listed.*
    from (
        values
        ('ownership', 'public_hospital'), ('ownership', 'private_hospital'),
        ('level', 'hospital_level_1'), ('level', 'hospital_level_2'), ('level', 'hospital_level_3'),
        ('beds', 'hospital_beds_under_100'), ('beds', 'hospital_beds_100_499'), ('beds', 'hospital_beds_500_up')
    ) as listed (grouped_by, slice)
),

hospitals as (
    select
        number.plan_code,
        number.region_code,
        number.year,
        grouping_of.grouped_by,
        sum(number.value) as units,
        max(sum(number.value)) over (partition by number.plan_code, number.region_code, number.year) as most
    from grouping_of
    inner join counted as number on grouping_of.slice = number.slice and number.indicator_code = 'institutions'
    group by number.plan_code, number.region_code, number.year, grouping_of.grouped_by
),

-- The unit of a count and the age that a quotation gives, as it words them.
worded as (
    select
        figure.plan_code,
        figure.figure_no,
        figure.indicator_code,
        figure.year,
        figure.value,
        figure.quote,
        case
            when figure.denominator_name is null
                then (regexp_match(figure.quote, trim_scale(figure.value)::text || '\s*(人次|人|例)'))[1]
        end as unit,
        (regexp_match(figure.quote, '(\d+周?岁)以上'))[1] as age
    from figure
),

-- Rates whose sum is another rate over the same population, and cuts of one whole that do not exclude each other.
rate_part as (
    select listed.*
    from (
        values
        ('beds_per_1000', 'public_hospital_beds_per_1000'),
        ('beds_per_1000', 'social_run_beds_per_1000')
    ) as listed (whole_code, part_code)
),

cut as (
    select listed.*
    from (
        values
        ('tier', 'hospital'), ('tier', 'primary_care'),
        ('sponsor', 'social_run'), ('sponsor', 'public')
    ) as listed (cut_by, slice)
),

found as (
    select
        'parent_between_parts' as kind,
        whole.plan_code,
        whole.figure_no,
        greatest(parts_of_rate.lowest - whole.value, whole.value - parts_of_rate.highest) as score,
        whole.value as observed,
        round(parts_of_rate.mean, 2) as expected,
        parts_of_rate.weights as denominator,
        format('outside %s to %s', trim_scale(parts_of_rate.lowest), trim_scale(parts_of_rate.highest)) as cause
    from stated as whole
    inner join parts_of_rate
        on whole.plan_code = parts_of_rate.plan_code and whole.figure_no = parts_of_rate.figure_no
    where whole.value not between parts_of_rate.lowest and parts_of_rate.highest
    union all
    select
        'parent_is_mean' as kind,
        whole.plan_code,
        whole.figure_no,
        abs(whole.value - parts_of_rate.mean) as score,
        whole.value as observed,
        round(parts_of_rate.mean, 2) as expected,
        parts_of_rate.weights as denominator,
        'weighted by the printed beds of the parts' as cause
    from stated as whole
    inner join parts_of_rate
        on whole.plan_code = parts_of_rate.plan_code and whole.figure_no = parts_of_rate.figure_no
    where parts_of_rate.weighed = parts_of_rate.parts
    union all
    select
        'sum_of_parts' as kind,
        whole.plan_code,
        whole.figure_no,
        abs(whole.value - added.total) as score,
        whole.value as observed,
        added.total as expected,
        null as denominator,
        case
            when guess.sign_of is not null then 'wrong sign: ' || guess.sign_of
            when guess.missing is not null then 'left out: ' || guess.missing
            when guess.is_transposed then 'digits swapped'
            when added.total / nullif(whole.value, 0) in (1000, 10000, 0.001, 0.0001) then 'unit slip'
            when guess.one_part is not null then 'unit slip: ' || guess.one_part
        end as cause
    from stated as whole
    inner join added
        on whole.plan_code = added.plan_code and whole.figure_no = added.figure_no
    cross join
        lateral (
            select
                max(added.names[place]) filter (where added.total - whole.value = 2 * added.addends[place]) as sign_of,
                max(added.names[place]) filter (where added.total - whole.value = added.addends[place]) as missing,
                max(added.names[place]) filter (
                    where whole.value - added.total in (
                        added.addends[place] * 999, added.addends[place] * 9999,
                        added.addends[place] / 1000 - added.addends[place],
                        added.addends[place] / 10000 - added.addends[place]
                    ) and added.addends[place] <> 0
                ) as one_part,
                (
                    select string_agg(letter, '' order by letter)
                    from unnest(string_to_array(trunc(added.total)::text, null)) as letter
                )
                = (
                    select string_agg(letter, '' order by letter)
                    from unnest(string_to_array(trunc(whole.value)::text, null)) as letter
                )
                    as is_transposed
            from generate_subscripts(added.addends, 1) as place
        ) as guess
    where whole.value <> added.total
    union all
    select
        'whole_numerator' as kind,
        rate.plan_code,
        rate.figure_no,
        1 as score,
        rate.value as observed,
        round(round(rate.value * births.lowest / rate.scale) * rate.scale / births.lowest, rate.decimals::int + 1)
            as expected,
        round(births.lowest) as denominator,
        format('one event in about %s births is %s', round(births.lowest), round(rate.scale / births.lowest, 2))
            as cause
    from stated as rate
    inner join births
        on rate.plan_code = births.plan_code and rate.region_code = births.region_code and rate.year = births.year
    where rate.denominator_name = 'live_births' and rate.value > 0
        and rate.indicator_code not in (select known.indicator_code from implied as known)
        -- Births may be those of all women: up to a fifth more than of residents.
        and not exists (
            select
            from generate_series(
                    floor((rate.value - rate.half_digit) * births.lowest / rate.scale),
                    ceil((rate.value + rate.half_digit) * births.highest * 1.2 / rate.scale)
                ) as event (count)
            where event.count * rate.scale / (rate.value + rate.half_digit) <= births.highest * 1.2
                and event.count * rate.scale / (rate.value - rate.half_digit) >= births.lowest
                and event.count > 0
        )
    union all
    select
        'one_denominator' as kind,
        population.plan_code,
        population.figure_no,
        disagreeing.against as score,
        population.value as observed,
        null as expected,
        round((population.lowest + population.highest) / 2) as denominator,
        format(
            '%s between %s and %s; %s of %s others say something else',
            population.population,
            round(population.lowest),
            round(population.highest),
            disagreeing.against,
            disagreeing.others
        ) as cause
    from population
    inner join disagreeing
        on population.plan_code = disagreeing.plan_code and population.figure_no = disagreeing.figure_no
    union all
    select
        'sources_agree' as kind,
        here.plan_code,
        here.figure_no,
        greatest(twin.gap, 0) as score,
        here.value as observed,
        twin.value as expected,
        null as denominator,
        case
            when length(twin.here_text) = length(twin.there_text)
                and (
                    select count(*) from generate_series(1, length(twin.here_text)) as place
                    where substr(twin.here_text, place, 1) <> substr(twin.there_text, place, 1)
                ) = 1 then 'one digit differs'
            when twin.gap <= 0 then 'rounding'
            else 'two values for one thing'
        end as cause
    from stated as here
    inner join twin
        on here.plan_code = twin.plan_code and here.figure_no = twin.figure_no
    union all
    select
        'share_at_precision' as kind,
        share.plan_code,
        share.figure_no,
        abs(share.value - recomputed.value) / nullif(2 * share.half_digit, 0) as score,
        share.value as observed,
        round(recomputed.value, share.decimals::int + 1) as expected,
        recomputed.denominator,
        format('%s of %s', trim_scale(recomputed.numerator), trim_scale(recomputed.denominator)) as cause
    from stated as share
    inner join recomputed
        on share.plan_code = recomputed.plan_code and share.figure_no = recomputed.figure_no
    where recomputed.value is not null
    union all
    select
        'breakdown_complete' as kind,
        min(here.plan_code) as plan_code,
        min(here.figure_no) as figure_no,
        hospitals.most - hospitals.units as score,
        hospitals.units as observed,
        hospitals.most as expected,
        null as denominator,
        'hospitals by ' || hospitals.grouped_by as cause
    from hospitals
    inner join grouping_of on hospitals.grouped_by = grouping_of.grouped_by
    inner join stated as here
        on hospitals.plan_code = here.plan_code
            and hospitals.region_code = here.region_code
            and hospitals.year = here.year
            and here.indicator_code = 'institutions' and grouping_of.slice = here.slice
    where hospitals.units < hospitals.most
    group by
        hospitals.plan_code,
        hospitals.region_code,
        hospitals.year,
        hospitals.grouped_by,
        hospitals.units,
        hospitals.most
    union all
    select
        'breakdown_complete' as kind,
        units.plan_code,
        units.figure_no,
        units.value as score,
        0 as observed,
        units.value as expected,
        null as denominator,
        'open institutions whose visits are counted nowhere' as cause
    from stated as units
    where units.indicator_code = 'institutions' and units.slice in ('clinic', 'village_clinic') and units.value > 0
        and exists (
            select from counted as visits
            where visits.plan_code = units.plan_code and visits.year = units.year
                and visits.indicator_code = 'total_visits' and visits.slice = 'primary_care'
        )
        and not exists (
            select from counted as visits
            where visits.plan_code = units.plan_code and visits.year = units.year
                and visits.indicator_code = 'total_visits' and visits.slice = units.slice
        )
    union all
    select
        'unit_and_scope' as kind,
        figure.plan_code,
        figure.figure_no,
        1 as score,
        figure.value as observed,
        null as expected,
        null as denominator,
        case when figure.region_code is null then 'no region' else 'no year' end as cause
    from figure
    where (figure.region_code is null and figure.kind <> 'mention')
        or (figure.value is not null and (figure.region_code is null or figure.year is null))
    union all
    select
        'unit_and_scope' as kind,
        here.plan_code,
        here.figure_no,
        1 as score,
        here.value as observed,
        null as expected,
        null as denominator,
        format('one bound without a unit for rates over %s and %s', here.denominator_name, there.denominator_name)
            as cause
    from figure as here
    inner join figure as there
        on here.plan_code = there.plan_code and here.quote = there.quote and here.value = there.value
            and here.figure_no < there.figure_no and here.denominator_name <> there.denominator_name
            and here.unit in ('‰', '/万', '/10万') and there.unit in ('‰', '/万', '/10万')
    union all
    select
        'target_attainable' as kind,
        target.plan_code,
        target.figure_no,
        1 as score,
        target.value as observed,
        round(round(target.value * township.units / target.scale) * target.scale / township.units, 2) as expected,
        township.units as denominator,
        format('%s units give no such share', township.units) as cause
    from target
    inner join lateral (
        -- As the plan found them when it began.
        select count(*) as units
        from {{ at_candidate(ref('dim_region')) }} as region
        where region.level = 'township' and region.parent_code = target.region_code
            and region.valid_from <= target.plan_start and region.valid_to > target.plan_start
    ) as township on township.units > 0
    where target.operator = '=' and target.denominator_name = 'townships'
        and abs(round(target.value * township.units / target.scale) * target.scale / township.units - target.value)
        > target.half_digit
    union all
    select
        'target_improves' as kind,
        target.plan_code,
        target.figure_no,
        abs(target.base_value - target.value) + 0.001 as score,
        target.value as observed,
        target.base_value as expected,
        null as denominator,
        'the baseline is better already, or the target is no step' as cause
    from target
    where target.base_value is not null and target.value is not null
        and (
            (target.operator in ('<', '<=') and target.base_value < target.value)
            or (target.operator in ('>=', '>') and target.base_value > target.value)
            or (
                target.operator in ('>=', '>')
                and target.base_operator in ('>=', '>')
                and target.base_value = target.value
            )
        )
    union all
    select
        'target_direction' as kind,
        target.plan_code,
        target.figure_no,
        1 as score,
        target.value as observed,
        null as expected,
        null as denominator,
        'no operator' as cause
    from target
    where target.plan_type = 'five_year_plan' and target.operator = '=' and target.unit like '/%人口'
    union all
    select
        'target_number' as kind,
        target.plan_code,
        target.figure_no,
        1 as score,
        null as observed,
        null as expected,
        null as denominator,
        coalesce(nullif(target.value_text, ''), 'a direction without a number') as cause
    from target
    where target.value is null
    union all
    select
        'target_baseline' as kind,
        target.plan_code,
        target.figure_no,
        1 as score,
        target.value as observed,
        null as expected,
        null as denominator,
        'a change against a year before that is not stored' as cause
    from target
    where target.operator = 'increase_by'
        and not exists (
            select from {{ at_candidate(ref('fct_indicator')) }} as fact
            where fact.indicator_code = target.indicator_code and fact.subject_code = target.region_code
                and fact.slice = target.slice and fact.status = 'computed'
                and extract(year from fact.period_end) = target.year - 1
        )
    union all
    select
        'target_reference' as kind,
        target.plan_code,
        target.figure_no,
        abs(standard.value - target.value) as score,
        target.value as observed,
        standard.value as expected,
        null as denominator,
        'the target stays below the standard that the same plan quotes' as cause
    from target
    inner join figure as standard
        on target.plan_code = standard.plan_code and target.indicator_code = standard.indicator_code
            and target.slice = standard.slice and standard.kind = 'reference' and target.value < standard.value
    union all
    select
        'target_floors' as kind,
        subset.plan_code,
        subset.figure_no,
        subset.value - whole.value as score,
        whole.value as observed,
        subset.value as expected,
        null as denominator,
        'a floor for a part above the floor for the whole: the mean of the whole passes always' as cause
    from target as subset
    inner join target as whole
        on subset.plan_code = whole.plan_code and subset.indicator_code = whole.indicator_code
            and whole.slice = 'all' and subset.slice <> 'all' and subset.year = whole.year
            and subset.operator = '>=' and whole.operator = '>=' and subset.value > whole.value
    union all
    select
        'numerator_within' as kind,
        number.plan_code,
        number.figure_no,
        number.value / births.fewest - 1 as score,
        number.value as observed,
        round(births.fewest) as expected,
        round(births.fewest) as denominator,
        format('%s %% of the births that rates imply', round(100 * number.value / births.fewest, 1)) as cause
    from stated as number
    inner join cohort on number.indicator_code = cohort.indicator_code and cohort.of_births
    inner join births
        on number.plan_code = births.plan_code and number.region_code = births.region_code and number.year = births.year
    where number.value > births.fewest
    union all
    select
        'order_of_rates' as kind,
        young.plan_code,
        young.figure_no,
        case when young.value > old.value then 1 + young.value - old.value else 1 end as score,
        young.value as observed,
        old.value as expected,
        null as denominator,
        case
            when young.value > old.value then 'more die within a year than within five'
            else 'equal: no child died between its first and its fifth birthday'
        end as cause
    from stated as young
    inner join stated as old
        on young.plan_code = old.plan_code and young.region_code = old.region_code and young.year = old.year
            and young.indicator_code = 'infant_mortality_rate' and old.indicator_code = 'under5_mortality_rate'
            and young.kind = old.kind and young.value >= old.value
    union all
    select
        'bundle' as kind,
        here.plan_code,
        here.figure_no,
        bundle.highest - bundle.lowest as score,
        bundle.lowest as observed,
        bundle.highest as expected,
        bundle.highest as denominator,
        bundle.bundle || ': those offered together differ' as cause
    from bundle
    inner join stated as here
        on bundle.plan_code = here.plan_code
            and bundle.region_code = here.region_code
            and bundle.year = here.year
            and bundle.indicator_code = here.indicator_code
    union all
    -- A class that is printed together with another, under the name of the first.
    select
        'sources_agree' as kind,
        both_classes.plan_code,
        both_classes.figure_no,
        abs(both_classes.value - one_class.value) as score,
        both_classes.value as observed,
        one_class.value as expected,
        null as denominator,
        'another class is counted under the same name' as cause
    from stated as both_classes
    inner join stated as one_class
        on both_classes.plan_code = one_class.plan_code and both_classes.region_code = one_class.region_code
            and both_classes.year = one_class.year and both_classes.indicator_code = one_class.indicator_code
            and starts_with(both_classes.slice, one_class.slice || '_and_')
            and both_classes.value <> one_class.value
    union all
    -- A number that a task has by its name, and the number of its target.
    select
        'sources_agree' as kind,
        target.plan_code,
        target.figure_no,
        abs(named.value - target.value) as score,
        target.value as observed,
        named.value as expected,
        null as denominator,
        'the task is named after more than its target asks for' as cause
    from target
    inner join figure as named
        on target.plan_code = named.plan_code and target.indicator_code = named.indicator_code
            and target.slice = named.slice and target.year = named.year
            and named.kind = 'mention' and target.value <> named.value
    union all
    select
        'unit_and_scope' as kind,
        here.plan_code,
        here.figure_no,
        1 as score,
        here.value as observed,
        null as expected,
        null as denominator,
        format('printed in %s, before that in %s', here.unit, before.unit) as cause
    from worded as here
    inner join lateral (
        select earlier.unit
        from worded as earlier
        where earlier.plan_code = here.plan_code and earlier.indicator_code = here.indicator_code
            and earlier.year = here.year and earlier.figure_no < here.figure_no and earlier.unit is not null
        order by earlier.figure_no
        limit 1
    ) as before on here.unit <> before.unit
    union all
    select
        'unit_and_scope' as kind,
        here.plan_code,
        here.figure_no,
        1 as score,
        here.value as observed,
        null as expected,
        null as denominator,
        format('%s here and %s in figure %s', here.age, other.age, other.figure_no) as cause
    from worded as here
    inner join lateral (
        select
            there.age,
            there.figure_no
        from worded as there
        where there.plan_code = here.plan_code and there.age <> here.age
            and replace(there.age, '周', '') = replace(here.age, '周', '')
        order by there.figure_no
        limit 1
    ) as other on here.age like '%周%'
    where not exists (
            select from worded as earlier
            where earlier.plan_code = here.plan_code
                and earlier.quote = here.quote
                and earlier.figure_no < here.figure_no
        )
    union all
    select
        'unit_and_scope' as kind,
        here.plan_code,
        here.figure_no,
        1 as score,
        here.value as observed,
        null as expected,
        null as denominator,
        format('the same bound over %s and over %s', here.denominator_name, there.denominator_name) as cause
    from target as here
    inner join target as there
        on here.plan_code = there.plan_code and here.line_no = there.line_no and here.year = there.year
            and here.value = there.value and here.operator = there.operator and here.figure_no < there.figure_no
            and split_part(here.numerator_name, '_', 1) = split_part(there.numerator_name, '_', 1)
            and here.denominator_name <> there.denominator_name
    union all
    select
        'unit_and_scope' as kind,
        here.plan_code,
        here.figure_no,
        1 as score,
        here.value as observed,
        there.value as expected,
        here.value + there.value as denominator,
        format('shares of one whole by %s and by %s overlap: they do not add up', one.cut_by, another.cut_by) as cause
    from target as here
    inner join cut as one on here.sliced_by = one.slice
    inner join target as there
        on here.plan_code = there.plan_code and here.year = there.year and here.figure_no < there.figure_no
            and here.sliced_base = there.sliced_base and here.denominator_name = there.denominator_name
    inner join cut as another on there.sliced_by = another.slice
    where one.cut_by <> another.cut_by and here.value + there.value = here.scale
    union all
    -- A floor that is no round share stands for a number of units: the fewest that give it.
    select
        'target_attainable' as kind,
        target.plan_code,
        target.figure_no,
        0.5 as score,
        target.value as observed,
        round(units.passing * target.scale / units.units, 1) as expected,
        units.units as denominator,
        format('%s of %s units: the share stands for a number of units', units.passing, units.units) as cause
    from target
    inner join lateral (
        select
            unit.units::numeric as units,
            ceil(target.value * unit.units / target.scale) as passing
        from generate_series(2, 20) as unit (units)
        where trunc(ceil(target.value * unit.units / target.scale) * target.scale / unit.units) = target.value
        order by unit.units
        limit 1
    ) as units on true
    where target.operator = '>=' and target.scale = 100 and target.denominator_name like 'orgs%'
        and target.value % 5 <> 0
    union all
    select
        'target_reference' as kind,
        standard.plan_code,
        standard.figure_no,
        standard.value - sum(part.value) as score,
        sum(part.value) as observed,
        standard.value as expected,
        null as denominator,
        'the targets of its parts stay below the standard: ' || string_agg(
            trim_scale(part.value)::text, ' + ' order by part.value desc
        ) as cause
    from figure as standard
    inner join rate_part on standard.indicator_code = rate_part.whole_code
    inner join target as part
        on standard.plan_code = part.plan_code and rate_part.part_code = part.indicator_code
            and standard.slice = part.slice
    where standard.kind = 'reference'
    group by standard.plan_code, standard.figure_no, standard.value
    having sum(part.value) < standard.value
        and count(*) = (
            select count(*) from rate_part as listed
            where listed.whole_code = min(standard.indicator_code)
        )
    union all
    select
        'target_baseline' as kind,
        target.plan_code,
        target.figure_no,
        1 as score,
        target.value as observed,
        null as expected,
        null as denominator,
        'the baseline is printed as a dash: not measured' as cause
    from target
    where target.base_value is null and target.plan_type = 'five_year_plan' and target.quote ~ '\s-\s'
    union all
    select
        'target_number' as kind,
        figure.plan_code,
        figure.figure_no,
        1 as score,
        null as observed,
        null as expected,
        null as denominator,
        'a task to be completed without a number' as cause
    from figure
    where figure.kind in ('target', 'mention') and figure.quote ~ '完成任务数|高质量完成|序时'
        and figure.quote !~ '\d'
),

numbered as (
    select
        found.*,
        row_number() over (
            partition by found.plan_code, found.figure_no, found.kind order by found.expected, found.cause
        )::int as ordinal
    from found
)

select
    numbered.plan_code,
    numbered.figure_no,
    numbered.kind,
    numbered.ordinal,
    described.reference,
    described.title_zh,
    figure.line_no,
    figure.indicator_code,
    figure.name_zh,
    figure.slice,
    figure.region_code,
    figure.period_type,
    figure.period_start,
    numbered.observed as printed_value,
    numbered.expected as expected_value,
    numbered.denominator,
    numbered.score,
    numbered.cause,
    case
        when numbered.kind = 'parent_is_mean' and numbered.score <= 2 then 'agrees'
        when numbered.kind = 'share_at_precision' and numbered.score <= 0.5 then 'agrees'
        when numbered.kind = 'share_at_precision' and numbered.score <= 1.5 then 'rounding'
        when numbered.kind = 'sources_agree' and numbered.score = 0 then 'rounding'
        when numbered.kind = 'one_denominator' and numbered.score = 0 then 'agrees'
        when numbered.kind = 'order_of_rates' and numbered.score <= 1 then 'suspect'
        when numbered.kind = 'target_attainable' and numbered.score < 1 then 'suspect'
        when
            numbered.kind in (
                'parent_between_parts', 'parent_is_mean', 'sum_of_parts', 'whole_numerator', 'target_attainable',
                'order_of_rates'
            )
            then 'impossible'
        when numbered.kind in ('unit_and_scope', 'target_direction', 'target_number', 'target_baseline')
            then 'ambiguous'
        when numbered.kind in ('numerator_within', 'bundle', 'target_improves', 'target_floors') then 'suspect'
        else 'conflict'
    end as verdict,
    figure.quote,
    {{ release_columns() }}
from numbered
inner join figure
    on numbered.plan_code = figure.plan_code and numbered.figure_no = figure.figure_no
left join {{ at_candidate(ref('dim_plan_contradiction')) }} as described
    on numbered.plan_code = described.plan_code
        and numbered.kind = described.kind
        and figure.indicator_code = described.indicator_code
        and (described.slices = '' or figure.slice = any(string_to_array(described.slices, '|')))

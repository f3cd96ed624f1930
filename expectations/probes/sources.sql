-- Two sources of one thing: births against first doses and screening, years against their months, cards against the bulletin,
-- deaths against their cards, pregnant women against their tests for HIV; and cards that tell one thing twice.
with number as materialized (
    select
        fact.form_code,
        fact.field_code,
        fact.breakdown,
        fact.subject_type,
        fact.subject_code,
        fact.organization_key,
        fact.region_code,
        fact.period_type,
        fact.period_start,
        fact.period_end,
        fact.report_id,
        fact.value
    from candidate.fct_reported_value as fact
    where fact.value is not null and $near(fact)
        and (
            (fact.form_code = 'newborn_screening_monthly' and fact.field_code in ('live_births_at_hospital', 'metabolic_screened'))
            or (fact.form_code = 'epi_monthly' and fact.field_code = 'given_basic' and fact.breakdown like 'HepB|1%')
            or (fact.form_code in ('mch_maternal_quarterly', 'mch_maternal_annual') and fact.field_code = 'live_births')
            or (fact.form_code = 'idr_monthly' and fact.field_code = 'cases')
            or (fact.form_code = 'mch_child_annual' and fact.field_code in ('deaths_under5', 'deaths_infant'))
            or (fact.form_code = 'mch_maternal_annual' and fact.field_code in ('maternal_deaths', 'pmtct_hiv_tested'))
            or (fact.form_code = 'hiv_test_monthly' and fact.field_code = 'tests' and fact.breakdown = 'MATERNAL')
            or (fact.form_code = 'population_denominators' and fact.field_code = 'population' and fact.breakdown = 'RESIDENT_END')
        )
),

-- A region's quarter: what the maternal-child unit reports, and what hospitals and vaccinators add up to.
quarter as (
    select
        region_code,
        (date_trunc('quarter', period_start))::date as quarter_start,
        form_code || '.' || field_code as source,
        sum(value) as value,
        count(distinct period_start) as periods,
        count(distinct organization_key) as reporters,
        count(*) as reports,
        max(report_id) as report_id
    from number
    where form_code in ('newborn_screening_monthly', 'epi_monthly', 'mch_maternal_quarterly') and region_code is not null
    group by region_code, (date_trunc('quarter', period_start))::date, form_code || '.' || field_code
),

birth as (
    select
        here.region_code,
        here.quarter_start,
        here.value as births,
        here.report_id,
        there.source,
        there.value
    from quarter as here
    inner join quarter as there
        on here.region_code = there.region_code and here.quarter_start = there.quarter_start
            and there.source <> here.source
    where here.source = 'mch_maternal_quarterly.live_births'
        -- Only when every unit reported every month: else it is a missing report, which is told by itself.
        and there.periods = 3 and there.reports = 3 * there.reporters
        and there.reporters = (
            select max(around.reporters) from quarter as around
            where around.region_code = there.region_code and around.source = there.source
                and abs(around.quarter_start - there.quarter_start) < 100
        )
        and here.value >= 30
),

-- The same field of an annual form and of the months or quarters of its year.
part as materialized (
    select
        year.subject_code,
        year.subject_type,
        year.organization_key,
        year.form_code,
        year.field_code,
        year.breakdown,
        year.period_type,
        year.period_start,
        year.period_end,
        year.report_id,
        year.value,
        span.form_code as part_form,
        span.periods_needed
    from (
        values
        ('inst_annual_hospital', 'hosp_monthly', 12),
        ('inst_annual_phc', 'hosp_monthly', 12),
        ('mch_maternal_annual', 'mch_maternal_quarterly', 4)
    ) as span (annual_form, form_code, periods_needed)
    inner join candidate.fct_reported_value as year on span.annual_form = year.form_code
    where year.value is not null
        and exists (
            select from registry.form_field as field
            where field.form_code = span.form_code and field.field_code = year.field_code and field.role = 'measure'
                and coalesce(field.unit, '') !~ '[%‰/]'
        )
        and $since(year.period_start)
),

annual as (
    select
        part.*,
        count(fact.value) as periods,
        sum(fact.value) as total,
        max(fact.value) filter (where fact.period_end = part.period_end) as last_value
    from part
    inner join candidate.fct_reported_value as fact
        on part.part_form = fact.form_code and part.field_code = fact.field_code and part.subject_code = fact.subject_code
            and part.organization_key = fact.organization_key and part.breakdown = fact.breakdown
            and fact.period_start between part.period_start and part.period_end
    where fact.period_type in ('month', 'quarter') and fact.value is not null
    group by
        part.subject_code, part.subject_type, part.organization_key, part.form_code, part.field_code, part.breakdown, part.period_type,
        part.period_start, part.period_end, part.report_id, part.value, part.part_form, part.periods_needed
),

-- Stocks are those of the year's end; which fields are stocks shows in the numbers: nobody adds up beds.
judged as (
    select
        annual.*,
        stock.is_stock,
        case when stock.is_stock then annual.last_value else annual.total end as other
    from annual
    cross join lateral (
        select annual.part_form = 'hosp_monthly' and annual.field_code ~ '^(staff|doctors|nurses|gp_|beds_)|managed|records|residents'
            as is_stock
    ) as stock
    where annual.periods = annual.periods_needed
),

card as (
    select region_code, month_start, disease_code, sum(cases) as cases, max(report_id) as report_id
    from candidate.fct_disease_card_count
    where region_code is not null
    group by region_code, month_start, disease_code
),

-- A region's cards of a maternal-child year. Where none of them came here the annual table has nothing to be held against.
death_card as (
    select card.region_code, card.mch_year, counted.form_code, counted.field_code, sum(counted.cards) as cards
    from candidate.fct_child_death as card
    cross join lateral (
        values
        ('mch_child_annual', 'deaths_under5', card.deaths_under5), ('mch_child_annual', 'deaths_infant', card.deaths_infant)
    ) as counted (form_code, field_code, cards)
    group by card.region_code, card.mch_year, counted.form_code, counted.field_code
    union all
    select card.region_code, card.mch_year, 'mch_maternal_annual', 'maternal_deaths', sum(card.maternal_deaths)
    from candidate.fct_maternal_death as card
    group by card.region_code, card.mch_year
),

annual_death as (
    select year.*, death_card.cards
    from number as year
    inner join death_card
        on year.subject_code = death_card.region_code and year.form_code = death_card.form_code
            and year.field_code = death_card.field_code and extract(year from year.period_end) = death_card.mch_year
    where year.subject_type = 'region' and year.period_type = 'mch_year'
),

-- Only where deaths were told in each month: a year of which a part came says nothing.
crude_death_rate as (
    select people.subject_code, people.period_start, people.value as residents, death.deaths, 1000 * death.deaths / people.value as rate
    from number as people
    inner join (
        select region_code, extract(year from death_date) as death_year, sum(deaths) as deaths
        from candidate.fct_death
        group by region_code, extract(year from death_date)
        having count(distinct date_trunc('month', death_date)) = 12
    ) as death on people.subject_code = death.region_code and extract(year from people.period_start) = death.death_year
    where people.form_code = 'population_denominators' and people.subject_type = 'region' and people.value > 0
),

-- Only where every unit that tests reported the twelve months from October on.
pregnant_tested as (
    select year.*, test.tests
    from number as year
    inner join (
        select region_code, extract(year from period_start + interval '3 months') as mch_year, sum(value) as tests
        from number
        where form_code = 'hiv_test_monthly' and region_code is not null
        group by region_code, extract(year from period_start + interval '3 months')
        having count(*) = 12 * count(distinct organization_key)
    ) as test on year.subject_code = test.region_code and extract(year from year.period_end) = test.mch_year
    where year.field_code = 'pmtct_hiv_tested' and year.subject_type = 'region'
),

found as (
    select
        case source
            when 'epi_monthly.given_basic' then 'births_first_dose'
            when 'newborn_screening_monthly.metabolic_screened' then 'births_screened'
            else 'births_delivered'
        end as kind,
        'region' as subject_type,
        region_code as subject_code,
        null::int as organization_key,
        'mch_maternal_quarterly' as form_code,
        'live_births' as field_code,
        null as breakdown,
        'quarter' as period_type,
        quarter_start as period_start,
        report_id,
        abs(ln(births / nullif(value, 0))) / sqrt(0.0016 + 2 / births) as score,
        births as observed,
        value as expected,
        births as denominator,
        case when value > births then 'fewer births than ' || source else 'more births than ' || source end as cause
    from birth
    where value > 0
    union all
    select
        'annual_' || case when is_stock then 'stock' else 'flow' end, subject_type, subject_code, organization_key, form_code, field_code,
        nullif(breakdown, ''), period_type, period_start, report_id,
        100 * abs(value - other) / greatest(abs(value), abs(other), 1), value, other, periods_needed,
        case when is_stock then 'the last month says something else' else 'the months add up to something else' end
    from judged
    where value is distinct from other and greatest(abs(value), abs(other)) >= 20
    union all
    select
        'cards_bulletin', 'region', bulletin.subject_code, null, 'idr_monthly', 'cases', bulletin.breakdown, 'month', bulletin.period_start,
        bulletin.report_id, abs(card.cases - bulletin.value) / sqrt(greatest(bulletin.value, card.cases, 1)), bulletin.value, card.cases,
        greatest(bulletin.value, card.cases), 'the cards count something else'
    from card
    inner join number as bulletin
        on card.region_code = bulletin.subject_code and card.month_start = bulletin.period_start and card.disease_code = bulletin.breakdown
            and bulletin.form_code = 'idr_monthly' and bulletin.period_type = 'month'
    where card.cases <> bulletin.value
    union all
    select
        'staff_register', 'organization', staff.subject_code, staff.organization_key, staff.form_code, 'staff_total', null, staff.period_type,
        staff.period_start, staff.report_id, 100 * abs(staff.value - register.persons) / greatest(staff.value, register.persons, 1),
        staff.value, register.persons, register.persons, 'the register names another number of persons'
    from candidate.fct_reported_value as staff
    inner join (
        select organization_key, period_start, sum(staff) as persons
        from candidate.fct_staff group by organization_key, period_start
    ) as register on staff.organization_key = register.organization_key and staff.period_start = register.period_start
    where staff.field_code = 'staff_total' and staff.form_code in ('inst_annual_hospital', 'inst_annual_phc')
        and staff.value is distinct from register.persons and $since(staff.period_start)
    union all
    -- Beds where the directory knows no inpatients, and a hospital without any.
    select
        'beds_directory', 'organization', beds.subject_code, beds.organization_key, beds.form_code, 'beds_actual', null, beds.period_type,
        beds.period_start, beds.report_id, 1, beds.value, null, 1,
        case when beds.value > 0 then 'beds of a unit that is ' || unit.class_group else 'a hospital without beds' end
    from candidate.fct_reported_value as beds
    inner join candidate.dim_organization as unit
        on beds.organization_key = unit.organization_key and beds.period_end >= unit.applies_from and beds.period_end < unit.valid_to
    where beds.field_code = 'beds_actual' and beds.form_code in ('hosp_monthly', 'inst_annual_hospital', 'inst_annual_phc')
        and (
            (beds.value > 0 and unit.class_group in ('public_health', 'other'))
            or (beds.value = 0 and unit.class_group = 'hospital')
        )
        and $since(beds.period_start)
    union all
    select
        'death_cards', 'region', subject_code, null, form_code, field_code, nullif(breakdown, ''), period_type, period_start, report_id,
        abs(value - cards), value, cards, greatest(value, cards),
        case when value > cards then 'deaths without a card' else 'cards beyond the deaths' end
    from annual_death
    where value <> cards
    union all
    select
        'crude_death_rate', 'region', subject_code, null, 'death_card', null, null, 'year', period_start, null, 6 - rate, deaths,
        6 * residents / 1000, residents,
        case when rate < 4 then 'fewer than 4 per 1000: deaths are missing' else 'fewer than 6 per 1000: deaths may be missing' end
    from crude_death_rate
    where rate < 6
    union all
    select
        'pregnant_hiv_tests', 'region', subject_code, null, form_code, field_code, nullif(breakdown, ''), period_type, period_start,
        report_id, 100 * abs(value - tests) / greatest(value, tests, 1), value, tests, greatest(value, tests),
        case when value > tests then 'fewer tests than women tested' else 'more tests than women tested' end
    from pregnant_tested
    where value <> tests
    union all
    select
        'repeated_cards', 'region', region_code, null, 'idr_card', null, null, 'month', month_start, max(report_id), sum(cards_repeated),
        sum(cards_repeated), 0, sum(cards_compared), 'a person told again with the same disease'
    from candidate.fct_disease_card_repeat
    where region_code is not null and $since(month_start)
    group by region_code, month_start
    having sum(cards_repeated) > 0
)

select
    found.kind, null::text as item, null::bigint as looked, found.subject_type, found.subject_code, found.organization_key, found.form_code,
    found.field_code, found.breakdown, found.period_type, found.period_start, found.report_id, found.score, found.observed,
    found.expected, found.denominator, found.cause
from found
where $since(found.period_start)
union all
select looked.kind, null, looked.rows, null, null, null, null, null, null, null, null, null, null, null, null, null, null
from (
    select 'births_first_dose' as kind, count(*) as rows from birth where source like 'epi%'
    union all
    select 'births_screened', count(*) from birth where source like '%metabolic_screened'
    union all
    select 'births_delivered', count(*) from birth where source like '%live_births_at_hospital'
    union all
    select 'annual_flow', count(*) from judged where not is_stock
    union all
    select 'annual_stock', count(*) from judged where is_stock
    union all
    select 'cards_bulletin', count(*) from card
    union all
    select 'staff_register', count(*) from candidate.fct_staff
    union all
    select 'beds_directory', count(*) from candidate.dim_organization
    union all
    select 'death_cards', count(*) from annual_death
    union all
    select 'crude_death_rate', count(*) from crude_death_rate
    union all
    select 'pregnant_hiv_tests', count(*) from pregnant_tested
    union all
    select 'repeated_cards', count(*) from candidate.fct_disease_card_repeat
) as looked

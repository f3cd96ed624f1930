-- Grain: one row per actual or baseline figure that a plan prints, beside what the reports say.
{{ config(unique_key=['plan_code', 'figure_no'], meta={'scope': 'all'}) }}
with figure as (
    select * from {{ at_candidate(ref('dim_plan_figure')) }} as figure
    where kind in ('actual', 'baseline')
),

indicator as (
    select
        dim_indicator.*,
        dim_indicator.aggregation_class in ('RS', 'RS_END', 'RS_MIX') as is_rate
    from {{ at_candidate(ref('dim_indicator')) }} as dim_indicator
),

-- Another value that the same plan prints for the same thing.
other as (
    select
        figure.plan_code,
        figure.figure_no,
        string_agg(distinct trim_scale(twin.value)::text, '、') as values_printed
    from figure
    inner join figure as twin
        on figure.plan_code = twin.plan_code
            and figure.indicator_code = twin.indicator_code
            and figure.slice = twin.slice
            and figure.region_code = twin.region_code
            and figure.period_end = twin.period_end
            and figure.operator in ('=', 'about')
            and twin.operator in ('=', 'about')
            and figure.value <> twin.value
    group by figure.plan_code, figure.figure_no
),

-- A rate of the whole lies between the rates of its parts, whatever their weights.
between_parts as (
    select
        figure.plan_code,
        figure.figure_no,
        min(part.value) as lowest,
        max(part.value) as highest
    from figure
    inner join indicator
        on figure.indicator_code = indicator.indicator_code
            and indicator.is_rate
            and indicator.numerator = split_part(indicator.numerator, '{', 1)
    inner join {{ at_candidate(ref('dim_slice')) }} as slice
        on figure.slice = slice.parent_slice
    inner join figure as part
        on figure.plan_code = part.plan_code
            and figure.indicator_code = part.indicator_code
            and figure.region_code = part.region_code
            and figure.period_end = part.period_end
            and slice.slice = part.slice
    group by figure.plan_code, figure.figure_no
    having count(*) > 1
),

-- A total is the sum of its parts, when the plan prints all of them.
sum_of_parts as (
    select
        figure.plan_code,
        figure.figure_no,
        sum(part.value) as total,
        string_agg(trim_scale(part.value)::text, ' + ' order by part.value desc) as addends
    from figure
    inner join {{ at_candidate(ref('bridge_indicator_sum')) }} as indicator_sum
        on figure.indicator_code = indicator_sum.indicator_code
    left join figure as part
        on indicator_sum.part_code = part.indicator_code
            and figure.plan_code = part.plan_code
            and figure.slice = part.slice
            and figure.region_code = part.region_code
            and figure.period_end = part.period_end
            and part.kind = 'actual'
    group by figure.plan_code, figure.figure_no
    having count(part.value) = count(*)
),

measured as (
    select
        figure.*,
        indicator.name_zh,
        indicator.unit,
        indicator.is_rate,
        other.values_printed,
        between_parts.lowest,
        between_parts.highest,
        sum_of_parts.total,
        sum_of_parts.addends,
        fct.numerator,
        fct.denominator,
        fct.value as computed,
        fct.status as computed_status,
        -- The whole number of events that comes nearest to the printed rate.
        round(figure.value * fct.denominator / indicator.scale) as nearest_count,
        indicator.scale,
        power(10::numeric, -figure.decimals) as last_digit
    from figure
    inner join indicator
        on figure.indicator_code = indicator.indicator_code
    left join other
        on figure.plan_code = other.plan_code and figure.figure_no = other.figure_no
    left join between_parts
        on figure.plan_code = between_parts.plan_code and figure.figure_no = between_parts.figure_no
    left join sum_of_parts
        on figure.plan_code = sum_of_parts.plan_code and figure.figure_no = sum_of_parts.figure_no
    left join {{ at_candidate(ref('fct_indicator')) }} as fct
        on figure.indicator_code = fct.indicator_code
            and fct.subject_type = 'region'
            and figure.region_code = fct.subject_code
            and figure.slice = fct.slice
            and figure.period_type = fct.period_type
            and figure.period_start = fct.period_start
),

tested as (
    select
        measured.*,
        -- Printed by rounding or by cutting off, the printed digits leave no room for any whole number of events.
        measured.is_rate
        and measured.computed_status = 'computed'
        and measured.denominator > 0
        and measured.denominator = trunc(measured.denominator)
        and not exists (
            select
            from generate_series(greatest(measured.nearest_count - 1, 0), measured.nearest_count + 1) as event (count)
            where abs(event.count * measured.scale / measured.denominator - measured.value) < measured.last_digit
        ) as has_no_count,
        measured.value < measured.lowest or measured.value > measured.highest as is_outside_parts,
        abs(measured.value - measured.total) > measured.last_digit / 2 as differs_from_sum,
        round(measured.computed, measured.decimals) as computed_rounded
    from measured
),

judged as (
    select
        tested.*,
        case
            when tested.value is null or tested.period_start is null or tested.region_code is null then 'ambiguous'
            when tested.is_outside_parts or tested.differs_from_sum or tested.has_no_count then 'impossible'
            when tested.operator in ('>=', '>', '<=', '<') and tested.computed is not null
                then
                    case
                        when tested.operator = '>=' and tested.computed >= tested.value then 'agrees'
                        when tested.operator = '>' and tested.computed > tested.value then 'agrees'
                        when tested.operator = '<=' and tested.computed <= tested.value then 'agrees'
                        when tested.operator = '<' and tested.computed < tested.value then 'agrees'
                        else 'conflict'
                    end
            when tested.computed_rounded = tested.value then 'agrees'
            when abs(tested.computed - tested.value) <= tested.last_digit * 1.0001 then 'rounding'
            when tested.operator = 'about' and abs(tested.computed / nullif(tested.value, 0) - 1) <= 0.05 then 'agrees'
            when tested.computed is not null then 'conflict'
            when tested.values_printed is not null then 'conflict'
            else 'not_reported'
        end as verdict
    from tested
)

select
    judged.plan_code,
    judged.figure_no,
    judged.line_no,
    judged.indicator_code,
    judged.name_zh,
    judged.unit,
    judged.slice,
    judged.region_code,
    judged.kind,
    judged.operator,
    judged.value as printed_value,
    judged.decimals as printed_decimals,
    judged.values_printed as other_printed_values,
    judged.period_type,
    judged.period_start,
    judged.period_end,
    judged.numerator,
    judged.denominator,
    judged.computed as computed_value,
    judged.verdict,
    case judged.verdict
        when 'ambiguous'
            then
                case
                    when judged.value is null then '原文没有数值'
                    when judged.region_code is null then '原文没有地区'
                    else '原文没有年份'
                end
        when 'impossible'
            then
                case
                    when judged.is_outside_parts
                        then format(
                                '总率须介于分项率 %s 与 %s 之间', trim_scale(judged.lowest), trim_scale(judged.highest)
                            )
                    when judged.differs_from_sum then format('分项之和 %s = %s', judged.addends, trim_scale(judged.total))
                    else format(
                            '分母 %s 下没有整数分子能得出该值，最近的是 %s ÷ %s',
                            trim_scale(judged.denominator), judged.nearest_count, trim_scale(judged.denominator)
                        )
                end
        when 'rounding' then format('计算值 %s，末位之差', trim_scale(round(judged.computed, 4)))
        when 'conflict'
            then
                case
                    when judged.computed is null then format('同一文本另印 %s', judged.values_printed)
                    else format(
                            '计算值 %s%s', trim_scale(round(judged.computed, 4)),
                            case
                                when judged.values_printed is not null then '；同一文本另印 ' || judged.values_printed else ''
                            end
                        )
                end
        when 'agrees'
            then
                case when judged.values_printed is not null then '同一文本另印 ' || judged.values_printed end
        when 'not_reported' then
            case
                when judged.computed_status is null then '没有报表提供该指标'
                else '报表不齐：' || judged.computed_status
            end
    end as reason,
    judged.quote,
    {{ release_columns() }}
from judged

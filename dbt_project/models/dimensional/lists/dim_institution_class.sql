-- Grain: one row per class of institutions of the standard.
{{ config(unique_key=['class_code'], meta={'scope': 'all'}) }}
select
    institution_class.class_code,
    institution_class.name_zh,
    left(institution_class.class_code, 1) as letter,
    super_group.class_group,
    case super_group.class_group
        when 'hospital' then '医院'
        when 'primary_care' then '基层医疗卫生机构'
        when 'public_health' then '专业公共卫生机构'
        else '其他医疗卫生机构'
    end as class_group_zh,
    super_group.yearbook_group,
    institution_class.monthly_filing,
    {{ release_columns() }}
from {{ ref('institution_class') }} as institution_class
left join lateral (
    select
        organization_class.class_group,
        organization_class.yearbook_group
    from {{ ref('organization_class') }} as organization_class
    where institution_class.class_code like organization_class.class_prefix || '%'
    order by length(organization_class.class_prefix) desc
    limit 1
) as super_group on true

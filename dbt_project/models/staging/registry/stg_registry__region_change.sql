-- Grain: one row per change, region before and region after, as the site folder has it.
select
    own.event_date as change_date,
    own.region_code as from_code,
    own.became_code as to_code,
    case when count(*) over together > 1 then 'merge' else 'recode' end as kind,
    1::numeric as share,
    case when count(*) over together > 1 then null else 1::numeric end as back_share,
    case when count(*) over together > 1 then 'whole_merged' else 'same_territory' end as share_basis,
    own.note
from {{ source('registry', 'region_event') }} as own
where own.became_code is not null
window together as (partition by own.became_code, own.event_date)

-- Grain: one row per region code that reports or units mention.
select region_code
from {{ source('registry', 'organization_event') }}
where region_code is not null
union
select coalesce(region_code, subject_code) as region_code
from {{ source('registry', 'report') }}
where subject_type = 'region'

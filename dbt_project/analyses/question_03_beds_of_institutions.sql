-- Question 3. Bed use, turnover and length of stay by institution and grade; who is above 93 % or under 60 %.
select
    compared.organization_code,
    compared.organization_name_zh,
    compared.peer_class,
    max(compared.value) filter (where compared.indicator_code = 'bed_occupancy_rate') as bed_use,
    max(compared.value) filter (where compared.indicator_code = 'bed_turnover') as turnover,
    max(compared.value) filter (where compared.indicator_code = 'average_length_of_stay') as length_of_stay,
    max(compared.value_of_peers) filter (where compared.indicator_code = 'bed_occupancy_rate') as bed_use_of_peers,
    max(compared.bed_use_alert) as bed_use_alert
from {{ published(ref('mart_institution_comparison')) }} as compared
where compared.period_type = 'year' and compared.period_start = date '{{ var("year", "2015") }}-01-01'
    and compared.region_code = '{{ var("region", "440507") }}'
    and compared.indicator_code in ('bed_occupancy_rate', 'bed_turnover', 'average_length_of_stay')
group by compared.organization_code, compared.organization_name_zh, compared.peer_class
order by bed_use desc nulls last, compared.organization_code asc

-- Grain: one row per region before and region after a change of the map.
{{ config(unique_key=['from_key', 'to_key'], meta={'scope': 'all'}) }}
select
    lineage.from_key,
    lineage.to_key,
    lineage.change_date,
    lineage.legal_date,
    lineage.kind,
    lineage.share,
    lineage.back_share,
    lineage.share_basis,
    lineage.is_exact,
    lineage.is_same_code,
    lineage.is_same_name,
    lineage.note,
    {{ release_columns() }}
from {{ region_lineage() }} as lineage

-- No release shows two rows of one key: the spells [release_from, release_to) of a key do not overlap.
-- Looks at the keys that this candidate wrote; the rest was looked at when it was written.
{% for model in star_models() %}
select
    '{{ model.name }}' as table_name,
    concat_ws(' ', {% for key in model.config.unique_key %}written.{{ key }}{{ ', ' if not loop.last }}{% endfor %})
        as row_key
from star.{{ model.name }} as written
inner join star.{{ model.name }} as other
    on {% for key in model.config.unique_key %}written.{{ key }} = other.{{ key }} and {% endfor %}
        written.release_from <> other.release_from
        and written.release_from < other.release_to
        and other.release_from < written.release_to
where written.release_from = {{ candidate_release() }}
{{ 'union all' if not loop.last }}
{% else %}
select
    null as table_name,
    null as row_key
where false
{% endfor %}

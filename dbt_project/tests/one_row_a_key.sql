-- No release shows two rows of one key: the spells [release_from, release_to) of a key do not overlap.
-- Looks at the keys that this candidate wrote; the rest was looked at when it was written. The candidate's number is
-- asked of both sides, so that a first build, beside which nothing stands, joins nothing.
{% for model in star_models() %}
select
    '{{ model.name }}' as table_name,
    concat_ws(' ', {% for key in model.config.unique_key %}written.{{ key }}{{ ', ' if not loop.last }}{% endfor %})
        as row_key
from star.{{ model.name }} as written
inner join star.{{ model.name }} as other
    on {% for key in model.config.unique_key %}written.{{ key }} = other.{{ key }} and {% endfor %}
        other.release_from < written.release_to
        and other.release_from <> {{ candidate_release() }}
        and other.release_to > {{ candidate_release() }}
where written.release_from = {{ candidate_release() }}
{{ 'union all' if not loop.last }}
{% else %}
select
    null as table_name,
    null as row_key
where false
{% endfor %}

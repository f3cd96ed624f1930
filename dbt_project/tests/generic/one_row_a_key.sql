{#- No release shows two rows of one key: the spells [release_from, release_to) of a key do not overlap.

    Looks at the keys that this candidate wrote: the rest was looked at when it was written. -#}
{% test one_row_a_key(model, key) %}
with written as (
    select {{ key | join(', ') }}, release_from, release_to
    from {{ model }}
    where release_from = {{ candidate_release() }}
)

select {% for column in key %}written.{{ column }}, {% endfor %}other.release_from, other.release_to
from written
inner join {{ model }} as other
    on {% for column in key %}written.{{ column }} = other.{{ column }} and {% endfor %}
    written.release_from < other.release_to
    and other.release_from < written.release_to
    and written.release_from <> other.release_from
{% endtest %}

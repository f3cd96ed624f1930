"""Exact confidence limits of counts and proportions, and the columns that the catalogue of indicators gained.

Revision ID: 0010
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Below 100 events the sum of the distribution is solved by Newton's method to the last digits; above, Wilson and
# Hilferty's cube root stands for the quantile (Paulson's form for proportions), within 0.003 % of it.
FUNCTIONS = """
create function registry.count_limits(events numeric, out low float8, out high float8)
language plpgsql immutable parallel safe strict as $$
declare
    -- Quantile of the normal distribution at 97.5 %.
    z constant float8 := 1.959963984540054;
    k constant float8 := events;
    guess float8;
    m int;
    term float8;
    total float8;
    step float8;
begin
    if events < 0 or events <> trunc(events) then
        return;
    end if;
    low := case when k = 0 then 0 else k * (1 - 1 / (9 * k) - z / (3 * sqrt(k))) ^ 3 end;
    high := (k + 1) * (1 - 1 / (9 * (k + 1)) + z / (3 * sqrt(k + 1))) ^ 3;
    if k >= 100 then
        return;
    end if;
    for side in 1..2 loop
        continue when side = 1 and k = 0;
        guess := greatest(case side when 1 then low else high end, 1e-4);
        m := case side when 1 then k - 1 else k end;
        for round in 1..50 loop
            term := exp(-guess);
            total := term;
            for i in 1..m loop
                term := term * guess / i;
                total := total + term;
            end loop;
            -- The sum falls by its last term for each unit of the mean.
            step := (total - case side when 1 then 0.975 else 0.025 end) / term;
            guess := greatest(guess + step, guess / 4);
            exit when abs(step) < guess * 1e-13;
        end loop;
        if side = 1 then low := guess; else high := guess; end if;
    end loop;
end
$$;
comment on function registry.count_limits(numeric) is
    'Exact 95 % limits of the mean behind a count of events (Poisson). Null for what is no count.';

create function registry.proportion_limits(events numeric, total numeric, out low float8, out high float8)
language plpgsql immutable parallel safe strict as $$
declare
    z constant float8 := 1.959963984540054;
    n constant float8 := total;
    is_turned constant boolean := events > total - events;
    k constant float8 := least(events, total - events);
    limits float8[] := array[0, 1];
    guess float8;
    m int;
    term float8;
    tail float8;
    step float8;
    a float8;
    b float8;
    w float8;
    x float8;
begin
    if events < 0 or events > total or total = 0 or events <> trunc(events) or total <> trunc(total) then
        return;
    end if;
    for side in 1..2 loop
        continue when side = 1 and k = 0;
        -- Paulson: the cube root of a ratio of two chi squares is nearly normal.
        a := 1 / (9 * case side when 1 then k else k + 1 end);
        b := 1 / (9 * case side when 1 then n - k + 1 else greatest(n - k, 0.5) end);
        x := case side when 1 then -z else z end;
        w := ((1 - a) * (1 - b) + x * sqrt(greatest(a * (1 - b) ^ 2 + b * (1 - a) ^ 2 - a * b * z ^ 2, 0)))
            / ((1 - b) ^ 2 - b * z ^ 2);
        w := greatest(w, 1e-3) ^ 3;
        guess := case side
            when 1 then k * w / (k * w + n - k + 1)
            else (k + 1) * w / ((k + 1) * w + n - k)
        end;
        if k < 100 then
            m := case side when 1 then k - 1 else k end;
            guess := least(greatest(guess, 1e-12), 1 - 1e-12);
            for round in 1..50 loop
                term := exp(n * ln(1 - guess));
                tail := term;
                for i in 1..m loop
                    term := term * (n - i + 1) / i * guess / (1 - guess);
                    tail := tail + term;
                end loop;
                step := (tail - case side when 1 then 0.975 else 0.025 end) * (1 - guess) / (term * (n - m));
                step := greatest(least(step, (1 - guess) / 2), -guess / 2);
                guess := guess + step;
                exit when abs(step) < guess * 1e-13;
            end loop;
        end if;
        limits[side] := guess;
    end loop;
    low := case when is_turned then 1 - limits[2] else limits[1] end;
    high := case when is_turned then 1 - limits[1] else limits[2] end;
end
$$;
comment on function registry.proportion_limits(numeric, numeric) is
    'Exact 95 % limits of the proportion behind events out of a total (Clopper and Pearson). Null for what is none.';
"""

COLUMNS = """
alter table if exists star.dim_indicator
    add column if not exists valid_from date,
    add column if not exists valid_to date,
    add column if not exists interval_method text,
    add column if not exists is_pooled boolean not null default false,
    add column if not exists not_carried_reason text,
    add column if not exists source_forms text;
alter table if exists star.dim_slice
    add column if not exists class_pattern text,
    add column if not exists level text,
    add column if not exists grade text,
    add column if not exists beds_from int,
    add column if not exists beds_to int;
alter table if exists star.mart_indicator
    add column if not exists ci_low numeric,
    add column if not exists ci_high numeric,
    add column if not exists small_numbers text;
"""


def upgrade() -> None:
    op.execute(FUNCTIONS)
    op.execute(COLUMNS)


def downgrade() -> None:
    op.execute("drop function registry.proportion_limits(numeric, numeric)")
    op.execute("drop function registry.count_limits(numeric)")

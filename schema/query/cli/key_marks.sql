-- cli/key_marks: the columns in which values of an earlier version are still accepted.
-- mode: job   shape: rows   class: job
select c.name from sealed_columns c order by c.name

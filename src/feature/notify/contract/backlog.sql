-- notify/backlog: the number of waiting and of dead notifications, for the metrics.
-- mode: job   shape: rows   class: job
select count(*) filter (where n.state = 'queued') as queued, count(*) filter (where n.state = 'dead') as dead
from notifications n
where n.state <> 'sent'

-- SPDX-License-Identifier: Apache-2.0
-- Tenant 1 and what ships with it: calendars, policies, keywords, catalogues, notification rules and templates.
insert into customers (tenant_id, code, name, lang, created_at) values (1, 'provider', '服务商', 'zh', '2026-01-01Z');
insert into tenant_counters (tenant_id) values (1);
select setval(pg_get_serial_sequence('customers', 'tenant_id'), 10);

insert into calendars (tenant_id, code, version, doc, created_at) values
(1, '24x7', 1, '{"tz":"UTC","hours":{"mon":[["00:00","24:00"]],"tue":[["00:00","24:00"]],"wed":[["00:00","24:00"]],"thu":[["00:00","24:00"]],
  "fri":[["00:00","24:00"]],"sat":[["00:00","24:00"]],"sun":[["00:00","24:00"]]}}', '2026-01-01Z'),
(1, 'mon-fri-24', 1, '{"tz":"UTC","hours":{"mon":[["00:00","24:00"]],"tue":[["00:00","24:00"]],"wed":[["00:00","24:00"]],"thu":[["00:00","24:00"]],
  "fri":[["00:00","24:00"]]}}', '2026-01-01Z'),
(1, 'cn-business', 1, '{"tz":"Asia/Shanghai","hours":{"mon":[["09:00","18:00"]],"tue":[["09:00","18:00"]],"wed":[["09:00","18:00"]],
  "thu":[["09:00","18:00"]],"fri":[["09:00","18:00"]]},
  "holidays":["2025-01-01","2025-01-28","2025-01-29","2025-01-30","2025-01-31","2025-02-01","2025-02-02","2025-02-03","2025-02-04",
  "2025-04-04","2025-04-05","2025-04-06","2025-05-01","2025-05-02","2025-05-03","2025-05-04","2025-05-05","2025-05-31","2025-06-01","2025-06-02",
  "2025-10-01","2025-10-02","2025-10-03","2025-10-04","2025-10-05","2025-10-06","2025-10-07","2025-10-08",
  "2026-01-01","2026-01-02","2026-01-03","2026-02-15","2026-02-16","2026-02-17","2026-02-18","2026-02-19","2026-02-20","2026-02-21","2026-02-22",
  "2026-02-23","2026-04-04","2026-04-05","2026-04-06","2026-05-01","2026-05-02","2026-05-03","2026-05-04","2026-05-05","2026-06-19","2026-06-20",
  "2026-06-21","2026-09-25","2026-09-26","2026-09-27","2026-10-01","2026-10-02","2026-10-03","2026-10-04","2026-10-05","2026-10-06","2026-10-07"],
  "overrides":{"2025-01-26":[["09:00","18:00"]],"2025-02-08":[["09:00","18:00"]],"2025-04-27":[["09:00","18:00"]],"2025-09-28":[["09:00","18:00"]],
  "2025-10-11":[["09:00","18:00"]],"2026-01-04":[["09:00","18:00"]],"2026-02-14":[["09:00","18:00"]],"2026-02-28":[["09:00","18:00"]],
  "2026-05-09":[["09:00","18:00"]],"2026-09-20":[["09:00","18:00"]],"2026-10-10":[["09:00","18:00"]]}}', '2026-01-01Z');

insert into sla_configurations (tenant_id, code, version, service_type, calendar_code, effective_from, doc) values
(1, 'standard', 1, null, '24x7', '2000-01-01Z', '{"priorities":{
  "P0":{"response_s":900,"resolution_s":7200,"update_s":900,"report_s":86400,"ladder_s":[1800,3600,7200]},
  "P1":{"response_s":1800,"resolution_s":14400,"update_s":1800,"report_s":172800,"ladder_s":[1800,3600,7200]},
  "P2":{"response_s":7200,"resolution_s":28800,"update_s":7200,"ladder_s":[1800,3600,7200]},
  "P3":{"response_s":14400,"resolution_s":86400,"update_s":14400},
  "P4":{"response_s":28800,"resolution_s":172800,"update_s":86400}},
  "thresholds":["80","-30m","90","95","100"],"resolution_from":"confirmed","resolution_until":"mitigated","reopen_hours":72,"autoclose_days":5}'),
(1, 'basic', 1, null, '24x7', '2000-01-01Z', '{"priorities":{
  "P0":{"response_s":900,"resolution_s":14400,"ladder_s":[1800,3600,7200]},"P1":{"response_s":3600,"resolution_s":28800,"ladder_s":[1800,3600,7200]},
  "P2":{"response_s":14400,"resolution_s":86400},"P3":{"response_s":86400,"resolution_s":259200}},
  "thresholds":["80","-30m","90","95","100"],"resolution_from":"confirmed","resolution_until":"mitigated","reopen_hours":72,"autoclose_days":5}'),
(1, 'billing', 1, 'billing', 'cn-business', '2000-01-01Z', '{"priorities":{
  "P3":{"response_s":14400,"resolution_s":86400,"update_s":14400},"P4":{"response_s":28800,"resolution_s":172800,"update_s":86400}},
  "thresholds":["80","-30m","90","95","100"],"resolution_from":"confirmed","resolution_until":"mitigated","reopen_hours":72,"autoclose_days":5}'),
(1, 'aws_health', 1, 'aws_health', '24x7', '2000-01-01Z', '{"priorities":{
  "P1":{"response_s":1800,"resolution_s":14400,"update_s":1800},"P2":{"response_s":7200,"resolution_s":28800,"update_s":7200},
  "P3":{"response_s":14400,"resolution_s":86400,"update_s":14400}},
  "thresholds":["80","-30m","90","95","100"],"resolution_from":"created","resolution_until":"resolved","reopen_hours":72,"autoclose_days":5}'),
(1, 'servicenow-uci', 1, null, 'mon-fri-24', '2000-01-01Z', '{"priorities":{
  "P1":{"resolution_s":22968},"P2":{"resolution_s":360},"P3":{"resolution_s":554940},"P4":{"resolution_s":1240272}},
  "thresholds":["100"],"pauses":{"resolution":[]},"resolution_from":"created","resolution_until":"closed","breach":"by_last_priority","reopen_hours":10000,"autoclose_days":0,
  "matrix":[["P1","P2"],["P2","P3","P4"],["P3","P4","P4"]]}');

insert into priority_keywords (tenant_id, keyword, priority) values
(1,'宕机','P0'),(1,'无法访问','P0'),(1,'不可用','P0'),(1,'全部中断','P0'),(1,'业务中断','P0'),(1,'数据丢失','P0'),(1,'数据损坏','P0'),(1,'数据泄露','P0'),
(1,'勒索','P0'),(1,'被入侵','P0'),(1,'系统崩溃','P0'),(1,'down','P0'),(1,'outage','P0'),(1,'data loss','P0'),(1,'data breach','P0'),(1,'ransomware','P0'),
(1,'unreachable','P0'),(1,'cannot access production','P0'),(1,'production is down','P0'),(1,'total failure','P0'),
(1,'支付失败','P1'),(1,'支付异常','P1'),(1,'登录失败','P1'),(1,'无法登录','P1'),(1,'严重下降','P1'),(1,'同步失败','P1'),(1,'大部分用户','P1'),(1,'超时','P1'),
(1,'payment fails','P1'),(1,'payment failure','P1'),(1,'login fails','P1'),(1,'cannot log in','P1'),(1,'severely degraded','P1'),(1,'replication broken','P1'),
(1,'most users','P1'),(1,'timeout','P1'),
(1,'部分用户','P2'),(1,'变慢','P2'),(1,'访问慢','P2'),(1,'延迟','P2'),(1,'报错','P2'),(1,'异常','P2'),(1,'slow','P2'),(1,'some users','P2'),(1,'error','P2'),(1,'delayed','P2'),
(1,'显示问题','P3'),(1,'错别字','P3'),(1,'typo','P3'),(1,'cosmetic','P3'),
(1,'咨询','P4'),(1,'请问','P4'),(1,'如何','P4'),(1,'建议','P4'),(1,'how to','P4'),(1,'how do i','P4'),(1,'question','P4'),(1,'feature request','P4');

insert into catalogue (tenant_id, kind, code, name_zh, name_en, priority) values
(1,'service_type','incident','故障','Incident',null),(1,'service_type','request','服务请求','Request',null),(1,'service_type','billing','计费','Billing',null),
(1,'service_type','change','变更','Change',null),(1,'service_type','aws_health','AWS 健康事件','AWS Health',null),
(1,'incident_type','p0-database-down','生产环境数据库完全宕机','Production database down','P0'),
(1,'incident_type','p0-cluster-down','核心应用服务器集群全部失效','All core application servers failed','P0'),
(1,'incident_type','p0-network-down','网络完全中断','Network fully interrupted','P0'),
(1,'incident_type','p0-loadbalancer','负载均衡器故障','Load balancer failed','P0'),
(1,'incident_type','p0-data-loss','数据丢失或严重损坏','Data lost or badly damaged','P0'),
(1,'incident_type','p0-data-leak','数据泄露或未授权访问','Data leak or unauthorised access','P0'),
(1,'incident_type','p0-ransomware','勒索软件攻击','Ransomware','P0'),
(1,'incident_type','p0-vulnerability','严重安全漏洞被利用','Severe vulnerability exploited','P0'),
(1,'incident_type','p0-no-orders','无法下单和支付','No orders, no payments','P0'),
(1,'incident_type','p1-performance','性能严重下降','Performance severely degraded','P1'),
(1,'incident_type','p1-api-failures','关键API失败率超过50%','Key API fails more than half the time','P1'),
(1,'incident_type','p1-replication','数据库主从同步失败','Database replication failed','P1'),
(1,'incident_type','p1-cache','缓存系统失效','Cache failed','P1'),
(1,'incident_type','p1-payment','支付功能异常','Payment function broken','P1'),
(1,'incident_type','p1-login','用户登录失败','Login fails','P1'),
(1,'incident_type','p1-region','特定地区所有用户无法访问','All users of a region cut off','P1');

insert into notification_rules (tenant_id, event_type, event_key, recipient_group, channel, template) values
(1,'ticket.created','','requester','mail','ticket_created'),(1,'ticket.created','','team','mail','ticket_new_staff'),
(1,'ticket.p0_opened','','on_call','mail','p0_page'),(1,'ticket.p0_opened','','manager','mail','p0_page'),(1,'ticket.p0_opened','','success','mail','p0_page'),
(1,'ticket.p0_guessed','','on_call','mail','p0_page'),
(1,'ticket.p0_unconfirmed','','on_call','mail','p0_page'),(1,'ticket.p0_unconfirmed','','manager','mail','p0_page'),
(1,'ticket.accepted','','requester','mail','ticket_status'),(1,'ticket.confirmed','','requester','mail','ticket_status'),
(1,'ticket.replied','','requester','mail','ticket_reply'),(1,'ticket.contacted','','requester','mail','ticket_reply'),
(1,'ticket.customer_replied','','assignee','mail','ticket_customer_reply'),
(1,'ticket.assigned','','assignee','mail','ticket_assigned'),
(1,'ticket.priority_changed','','requester','mail','ticket_priority'),
(1,'ticket.escalation_requested','','assignee','mail','ticket_escalation'),(1,'ticket.escalation_requested','','manager','mail','ticket_escalation'),
(1,'ticket.waiting_customer','','requester','mail','ticket_waiting'),(1,'ticket.scheduled','','requester','mail','ticket_status'),
(1,'ticket.waiting_aws','','requester','mail','ticket_status'),(1,'ticket.resumed','','requester','mail','ticket_status'),
(1,'ticket.mitigated','','requester','mail','ticket_status'),(1,'ticket.monitoring','','requester','mail','ticket_status'),
(1,'ticket.rework','','requester','mail','ticket_status'),
(1,'ticket.resolved','','requester','mail','ticket_resolved'),(1,'ticket.close_reminder','','requester','mail','ticket_resolved'),
(1,'ticket.closed','','requester','mail','ticket_status'),(1,'ticket.reopened','','requester','mail','ticket_status'),
(1,'ticket.reopened','','assignee','mail','ticket_customer_reply'),
(1,'ticket.cancelled','','requester','mail','ticket_status'),(1,'ticket.merged','','requester','mail','ticket_status'),
(1,'ticket.contact_accepted','','requester','mail','contact_accepted'),(1,'ticket.contact_accepted','','assignee','mail','contact_accepted'),(1,'ticket.contact_accepted','','manager','mail','contact_accepted'),(1,'ticket.contact_accepted','','customer_contacts','mail','contact_accepted'),
(1,'ticket.contact_disputed','','assignee','mail','contact_disputed'),(1,'ticket.contact_disputed','','manager','mail','contact_disputed'),(1,'ticket.breach_waived','','requester','mail','breach_waived'),(1,'ticket.breach_waived','','assignee','mail','breach_waived'),(1,'ticket.breach_waived','','manager','mail','breach_waived'),
(1,'ticket.window_excluded','','requester','mail','ticket_window'),(1,'ticket.window_excluded','','assignee','mail','ticket_window'),(1,'ticket.rebound','','assignee','mail','ticket_rebound'),(1,'ticket.rebound','','manager','mail','ticket_rebound'),
(1,'ticket.exclusion_proposed','','manager','mail','exclusion_proposed'),
(1,'ticket.report_due','','assignee','mail','report_due'),(1,'ticket.report_due','','manager','mail','report_due'),
(1,'sla.threshold','80','assignee','mail','sla_warning'),(1,'sla.threshold','80','team','mail','sla_warning'),
(1,'sla.threshold','-30m','assignee','mail','sla_warning'),
(1,'sla.threshold','90','assignee','mail','sla_warning'),(1,'sla.threshold','90','next_level','mail','sla_warning'),
(1,'sla.threshold','95','assignee','mail','sla_warning'),(1,'sla.threshold','95','manager','mail','sla_warning'),
(1,'sla.threshold','100','assignee','mail','sla_breach'),(1,'sla.threshold','100','manager','mail','sla_breach'),
(1,'sla.threshold','100','customer_contacts','mail','sla_breach_customer'),
(1,'sla.update_missed','','assignee','mail','sla_breach'),(1,'sla.update_missed','','manager','mail','sla_breach'),(1,'sla.update_missed','','success','mail','sla_breach'),
(1,'sla.ladder','','level','mail','sla_ladder'),(1,'sla.ladder','AWS','manager','mail','sla_ladder');
insert into notification_rules (tenant_id, event_type, event_key, recipient_group, channel, template)
  select distinct 1, event_type, '', 'webhook', 'webhook', 'webhook' from notification_rules where event_type <> 'ticket.noted';

insert into notification_templates (tenant_id, code, lang, subject, body) values
(1,'ticket_created','zh','[{{number}}] 已收到您的工单:{{title}}','您好,\n\n我们已收到您的工单 {{number}},优先级 {{priority}}({{priority_zh}})。\n我们将在 {{response_due}} 前首次响应。\n\n{{url}}\n'),
(1,'ticket_created','en','[{{number}}] We received your ticket: {{title}}','Hello,\n\nwe received your ticket {{number}}, priority {{priority}} ({{priority_en}}).\nWe will respond first by {{response_due}}.\n\n{{url}}\n'),
(1,'ticket_new_staff','zh','[{{number}}] 新工单 {{priority}}:{{title}}','客户 {{tenant}} 提交了新工单 {{number}}({{priority}})。\n首次响应截止:{{response_due}}\n\n{{url}}\n'),
(1,'ticket_new_staff','en','[{{number}}] New {{priority}} ticket: {{title}}','{{tenant}} opened ticket {{number}} ({{priority}}).\nFirst response due: {{response_due}}\n\n{{url}}\n'),
(1,'p0_page','zh','[紧急] [{{number}}] P0:{{title}}','P0 事件,客户 {{tenant}}。请立即确认并处理。\n首次响应截止:{{response_due}}\n\n{{url}}\n'),
(1,'p0_page','en','[CRITICAL] [{{number}}] P0: {{title}}','P0 incident of {{tenant}}. Confirm and act at once.\nFirst response due: {{response_due}}\n\n{{url}}\n'),
(1,'ticket_status','zh','[{{number}}] 状态更新:{{status_zh}}','工单 {{number}}「{{title}}」的状态现为:{{status_zh}}。\n\n{{url}}\n'),
(1,'ticket_status','en','[{{number}}] Status: {{status}}','Ticket {{number}} "{{title}}" is now: {{status}}.\n\n{{url}}\n'),
(1,'ticket_reply','zh','[{{number}}] 新回复:{{title}}','工程师回复了工单 {{number}}:\n\n{{text}}\n\n{{url}}\n'),
(1,'ticket_reply','en','[{{number}}] New reply: {{title}}','An engineer replied to ticket {{number}}:\n\n{{text}}\n\n{{url}}\n'),
(1,'ticket_customer_reply','zh','[{{number}}] 客户更新:{{title}}','客户 {{tenant}} 更新了工单 {{number}}({{priority}})。\n\n{{url}}\n'),
(1,'ticket_customer_reply','en','[{{number}}] Customer update: {{title}}','{{tenant}} updated ticket {{number}} ({{priority}}).\n\n{{url}}\n'),
(1,'ticket_assigned','zh','[{{number}}] 工单已分配给您:{{title}}','工单 {{number}}({{priority}},客户 {{tenant}})已分配给您。\n\n{{url}}\n'),
(1,'ticket_assigned','en','[{{number}}] Assigned to you: {{title}}','Ticket {{number}} ({{priority}}, {{tenant}}) is assigned to you.\n\n{{url}}\n'),
(1,'ticket_priority','zh','[{{number}}] 优先级调整为 {{priority}}','工单 {{number}}「{{title}}」的优先级已调整为 {{priority}}({{priority_zh}})。\n原因:{{text}}\n\n{{url}}\n'),
(1,'ticket_priority','en','[{{number}}] Priority is now {{priority}}','The priority of ticket {{number}} "{{title}}" is now {{priority}} ({{priority_en}}).\nReason: {{text}}\n\n{{url}}\n'),
(1,'ticket_escalation','zh','[{{number}}] 客户请求升级:{{title}}','客户 {{tenant}} 请求升级工单 {{number}}:\n\n{{text}}\n\n{{url}}\n'),
(1,'ticket_escalation','en','[{{number}}] Escalation requested: {{title}}','{{tenant}} requests escalation of ticket {{number}}:\n\n{{text}}\n\n{{url}}\n'),
(1,'ticket_waiting','zh','[{{number}}] 等待您的回复:{{title}}','工单 {{number}} 正在等待您的回复:\n\n{{text}}\n\n{{url}}\n'),
(1,'ticket_waiting','en','[{{number}}] Waiting for you: {{title}}','Ticket {{number}} waits for your answer:\n\n{{text}}\n\n{{url}}\n'),
(1,'ticket_resolved','zh','[{{number}}] 已解决,请确认:{{title}}','我们认为工单 {{number}} 已解决,请确认;如未解决,请重新打开。\n\n{{text}}\n\n{{url}}\n'),
(1,'ticket_resolved','en','[{{number}}] Resolved, please confirm: {{title}}','We consider ticket {{number}} resolved. Please confirm, or reopen it if it is not.\n\n{{text}}\n\n{{url}}\n'),
(1,'report_due','zh','[{{number}}] 事件报告到期:{{title}}','工单 {{number}}({{priority}})的事件报告已到期。\n\n{{url}}\n'),
(1,'report_due','en','[{{number}}] Incident report due: {{title}}','The incident report of ticket {{number}} ({{priority}}) is due.\n\n{{url}}\n'),
(1,'contact_accepted','zh','[{{number}}] 首次响应已认可:{{title}}','经主管核实,工单 {{number}} 的电话/现场联系计为首次响应,此前通知的违约已撤销。\n原因:{{text}}\n\n{{url}}\n'),
(1,'contact_accepted','en','[{{number}}] The first response counts: {{title}}','A supervisor accepted the recorded contact of ticket {{number}} as its first response; the breach you were told of is lifted.\nReason: {{text}}\n\n{{url}}\n'),
(1,'contact_disputed','zh','[{{number}}] 客户对联系记录有异议:{{title}}','客户 {{tenant}} 对工单 {{number}} 的联系记录提出异议:\n\n{{text}}\n\n{{url}}\n'),
(1,'contact_disputed','en','[{{number}}] Contact disputed: {{title}}','{{tenant}} disputes the recorded contact of ticket {{number}}:\n\n{{text}}\n\n{{url}}\n'),
(1,'breach_waived','zh','[{{number}}] 违约已豁免:{{title}}','工单 {{number}} 的{{clock_zh}}时限违约已由主管豁免。\n原因:{{text}}\n\n{{url}}\n'),
(1,'breach_waived','en','[{{number}}] Breach waived: {{title}}','The breach of the {{clock}} clock of ticket {{number}} was waived by a supervisor.\nReason: {{text}}\n\n{{url}}\n'),
(1,'ticket_window','zh','[{{number}}] 维护窗口不计入时限:{{title}}','按合同约定,工单 {{number}} 的一段维护时间不计入时限。\n原因:{{text}}\n\n{{url}}\n'),
(1,'ticket_window','en','[{{number}}] A maintenance window does not count: {{title}}','By contract a maintenance window of ticket {{number}} does not count.\nReason: {{text}}\n\n{{url}}\n'),
(1,'ticket_rebound','zh','[{{number}}] 已改用当前 SLA 策略:{{title}}','工单 {{number}} 已改用当前生效的 SLA 策略与日历,截止时间已重新计算。\n原因:{{text}}\n\n{{url}}\n'),
(1,'ticket_rebound','en','[{{number}}] Rebound to the policy in force: {{title}}','Ticket {{number}} is bound to the policy and calendar now in force; its due times were reckoned anew.\nReason: {{text}}\n\n{{url}}\n'),
(1,'exclusion_proposed','zh','[{{number}}] 请审批:不计入达成率 {{title}}','有人提议工单 {{number}}({{tenant}})不计入 SLA 达成率,请由另一人审批。\n\n{{url}}\n'),
(1,'exclusion_proposed','en','[{{number}}] Approval wanted: leave out of attainment: {{title}}','Ticket {{number}} ({{tenant}}) is proposed to be left out of attainment. Another person must approve.\n\n{{url}}\n'),
(1,'sla_warning','zh','[SLA {{threshold}}] [{{number}}] {{title}}','工单 {{number}}({{priority}},客户 {{tenant}})的{{clock_zh}}时限已达 {{threshold}}。\n截止:{{due}}\n\n{{url}}\n'),
(1,'sla_warning','en','[SLA {{threshold}}] [{{number}}] {{title}}','The {{clock}} clock of ticket {{number}} ({{priority}}, {{tenant}}) has reached {{threshold}}.\nDue: {{due}}\n\n{{url}}\n'),
(1,'sla_breach','zh','[SLA 违约] [{{number}}] {{title}}','工单 {{number}}({{priority}},客户 {{tenant}})的{{clock_zh}}时限已违约。\n截止:{{due}}\n\n{{url}}\n'),
(1,'sla_breach','en','[SLA breach] [{{number}}] {{title}}','The {{clock}} clock of ticket {{number}} ({{priority}}, {{tenant}}) is breached.\nDue: {{due}}\n\n{{url}}\n'),
(1,'sla_breach_customer','zh','[{{number}}] 服务时限未达成:{{title}}','很抱歉,工单 {{number}} 的{{clock_zh}}时限未能达成。我们已启动应急流程。\n\n{{url}}\n'),
(1,'sla_breach_customer','en','[{{number}}] We missed a promise: {{title}}','We are sorry: the {{clock}} promise of ticket {{number}} was missed. Our emergency process has begun.\n\n{{url}}\n'),
(1,'sla_ladder','zh','[升级 {{threshold}}] [{{number}}] {{title}}','工单 {{number}}({{priority}},客户 {{tenant}})无进展,已升级至 {{threshold}}。\n\n{{url}}\n'),
(1,'sla_ladder','en','[Escalated {{threshold}}] [{{number}}] {{title}}','Ticket {{number}} ({{priority}}, {{tenant}}) made no progress and is escalated to {{threshold}}.\n\n{{url}}\n');
update notification_templates set body = replace(body, '\n', E'\n');

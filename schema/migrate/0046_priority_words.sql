-- SPDX-License-Identifier: Apache-2.0
-- Keywords become rules on a clause (include/ticket/priority.h): alternatives a|b, all of several parts a+b, none of a part a!b; and a kind:
-- sign (says something of this priority), cap (the clause counts as this at most), over (it has recovered: what was said so far counts as this at
-- most), not (a negation: what follows shortly counts for nothing). The built-in words are replaced; those that an operator added stay.
alter table priority_keywords add column kind text not null default 'sign' check (kind in ('sign', 'cap', 'over', 'not'));

delete from priority_keywords where tenant_id = 1 and keyword in (
  '宕机', '无法访问', '不可用', '全部中断', '业务中断', '数据丢失', '数据损坏', '数据泄露', '勒索', '被入侵', '系统崩溃', 'down', 'outage', 'data loss',
  'data breach', 'ransomware', 'unreachable', 'cannot access production', 'production is down', 'total failure',
  '支付失败', '支付异常', '登录失败', '无法登录', '严重下降', '同步失败', '大部分用户', '超时', 'payment fails', 'payment failure', 'login fails',
  'cannot log in', 'severely degraded', 'replication broken', 'most users', 'timeout',
  '部分用户', '变慢', '访问慢', '延迟', '报错', '异常', 'slow', 'some users', 'error', 'delayed', '显示问题', '错别字', 'typo', 'cosmetic',
  '咨询', '请问', '如何', '建议', 'how to', 'how do i', 'question', 'feature request');

insert into priority_keywords (tenant_id, kind, priority, keyword) values
-- everything stands still
(1, 'sign', 'P0', '宕机|当机|瘫痪|停摆|停运|全挂|全部挂|系统崩溃|雪崩'),
(1, 'sign', 'P0', '数据库|服务器|生产|系统|集群|平台|服务|网站|节点+崩溃|挂了|挂掉|宕'),
(1, 'sign', 'P0', '无法访问|不可访问|不能访问|访问不了|访问不到'),
(1, 'sign', 'P0', '网站|系统|平台|应用|官网|门户+打不开|进不去|无法打开|无法进入'),
(1, 'sign', 'P0', '系统|服务|平台|应用|网站|数据库|生产|业务|集群|网络+不可用|无法使用|用不了|无法提供服务|全部失效|全部失败|无法运行'),
(1, 'sign', 'P0', '集群|服务器|节点|机房|可用区|数据中心+全部失效|全部故障|全部离线|全部断电|失效|停电|断电'),
(1, 'sign', 'P0', '业务|服务|网络|系统|生产|交易|专线|全部|全网|完全|链路+中断!指标|探测|监控|告警|备用'),
(1, 'sign', 'P0', '断网|全网断'),
(1, 'sign', 'P0', '业务|生产|流程|系统|服务|平台|全部+完全停止|全部停止|停止运行|停产|停业|停止服务'),
(1, 'sign', 'P0', '生产环境|生产系统+停止|停机'),
(1, 'sign', 'P0', '所有用户|全部用户|全体用户|所有客户|全部客户|全公司|所有人+无法|不能|不可|中断|影响|掉线|失败'),
(1, 'sign', 'P0', '负载均衡|网关|入口+故障|失效|宕+流量|全部|所有|分发'),
(1, 'sign', 'P0', '流量+无法分发|无法转发|全部丢失'),
(1, 'sign', 'P0', '平台|商城|网站|金融|全部|所有+无法|不能|不了+下单|支付|交易|结算'),
(1, 'sign', 'P0', '系统|银行+无法|不能|不了+处理交易|交易|清算'),
-- data and security
(1, 'sign', 'P0', '数据+丢失|损坏|泄露|泄漏|外泄|被删|误删|被加密|被篡改|被盗'),
(1, 'sign', 'P0', '勒索|被入侵|入侵|被黑|黑客|安全事件|被攻击|木马|挖矿'),
(1, 'sign', 'P0', '未授权访问|未经授权|越权访问'),
(1, 'sign', 'P0', '漏洞+被利用|严重|高危|正在利用'),
(1, 'sign', 'P0', '重大业务损失|重大损失|巨大损失|重大经济损失'),
-- core functions
(1, 'sign', 'P1', '不可用|无法使用|用不了|打不开|无法打开|崩溃|闪退|挂了|没有响应|无响应'),
(1, 'sign', 'P1', '响应时间|性能|速度|吞吐+严重下降|大幅下降|急剧下降|10倍|十倍'),
(1, 'sign', 'P1', '严重下降|严重受损|严重影响|严重受影响|严重变慢|大面积'),
(1, 'sign', 'P1', '失败率|错误率+超过|高达|达到|超|%'),
(1, 'sign', 'P1', '关键|核心|主要|重要+失败|不可用|受损|异常|故障|中断!非关键|非核心|次要'),
(1, 'sign', 'P1', '同步|复制|主从+失败|中断|断开|异常|停止'),
(1, 'sign', 'P1', '缓存+失效|故障|崩溃'),
(1, 'sign', 'P1', '登录|登陆|登入+失败|无法|不能|不了|异常|不上'),
(1, 'sign', 'P1', '支付|付款|订单|下单|交易|结算+失败|异常|故障|无法|不能|不了|报错'),
(1, 'sign', 'P1', '关键+集成|第三方+失败|中断|不可用!非关键'),
(1, 'sign', 'P1', '大部分用户|多数用户|大量用户|大批用户'),
(1, 'sign', 'P1', '客户群体|地区|区域+服务中断|无法访问|无法使用'),
(1, 'sign', 'P1', '连锁故障|故障扩散'),
(1, 'sign', 'P1', '尚未恢复|未恢复|没有恢复|没恢复|还没恢复|仍未恢复'),
(1, 'sign', 'P1', '超时'),
-- parts
(1, 'sign', 'P2', '部分用户|部分功能|部分地区|变慢|访问慢|很慢|缓慢|太慢|卡顿|延迟|报错|异常|故障|失败|告警|受损'),
(1, 'sign', 'P2', '临时解决方案|临时方案|可以绕过'),
(1, 'sign', 'P2', '非关键|非核心|次要+受损|故障|异常|集成'),
(1, 'sign', 'P3', '显示问题|错别字|文档错误|样式|文案|少数用户|小范围'),
(1, 'sign', 'P4', '咨询|请问|如何|怎样|建议|想了解|想问'),

(1, 'sign', 'P0', 'outage|unreachable|inaccessible|total failure|ransomware|hacked|compromised|security incident|data loss|data breach|data leak'),
(1, 'sign', 'P0', 'down!slow|slowed|slowing|scale|scaled|scaling|drop|count|cut|break|boil|note|write|cool|narrow|narrowed'),
(1, 'sign', 'P0', 'cannot|can''t|can not|unable to|not able to|no one can|nobody can+access|reach|open|connect+production|site|website|system|systems|service|services|database|platform'),
(1, 'sign', 'P0', 'everyone|all users|all customers|all our users|nobody|no one|every user+cannot|can''t|can not|can|unable|affected|error|errors|locked out|fail|fails'),
(1, 'sign', 'P0', 'production|database|cluster|all servers|all nodes|network+crashed|failed|has failed|stopped|dead|offline|unavailable|lost'),
(1, 'sign', 'P0', 'data|records|backup|backups+lost|corrupted|corrupt|leaked|exposed|stolen|wiped'),
(1, 'sign', 'P0', 'unauthorized access|unauthorised access|being exploited|actively exploited'),
(1, 'sign', 'P0', 'platform|shop|site|store|customers+cannot|can''t|can not|unable to+order|pay|checkout|check out|trade'),
(1, 'sign', 'P1', 'payment|payments|checkout|orders|order processing+fail|fails|failing|failed|failure|broken|rejected|declined'),
(1, 'sign', 'P1', 'login|log in|sign in|sign-in|logins+fail|fails|failing|failed|failure|broken|cannot|can''t|can not|unable to'),
(1, 'sign', 'P1', 'severely degraded|severely impacted|unusable|most users|many users|majority of users|unavailable|timeout|timeouts|timing out|times out|ten times slower|10x slower'),
(1, 'sign', 'P1', 'replication|sync+broken|fails|failed|failing|stopped|lag'),
(1, 'sign', 'P1', 'critical|core|key+api|function|feature|integration+fail|fails|failing|failed|broken|down'),
(1, 'sign', 'P1', 'crash|crashes|crashed|crashing|not responding|unresponsive|not recovered'),
(1, 'sign', 'P2', 'slow|slower|some users|error|errors|delayed|delay|intermittent|intermittently|latency|degraded|workaround|fails|failed|failing|broken'),
(1, 'sign', 'P3', 'typo|cosmetic|misaligned|alignment|spelling'),
(1, 'sign', 'P4', 'how to|how do i|how can i|how do we|question|feature request|wondering|would like to know'),

-- at most this in the same clause: a question, an exercise, the past, a part of it
(1, 'cap', 'P3', '如何|怎样|怎么避免|怎么防止|怎么预防|会不会|是否会|是否有|是否存在|是否支持|避免|防止|预防|想了解|想咨询|咨询|想问一下!:|：'),
(1, 'cap', 'P3', '如果|假如|假设|万一!就|一直|现在'),
(1, 'cap', 'P3', '演练|计划内|计划停机|计划维护|停机维护|测试环境|开发环境|预发布|预生产|演示环境|沙箱'),
(1, 'cap', 'P3', '昨天|昨日|昨晚|前天|上周|上个月|上月|去年|曾经|曾!开始|起|至今|一直|仍|还|现在|目前|又|再次|突然'),
(1, 'cap', 'P3', '少数用户|小范围|显示问题|错别字|文档'),
(1, 'cap', 'P1', '特定|某地区|某个地区|某区域|某些地区|移动端|手机端|小程序|安卓|ios|关键功能|核心功能|关键业务功能|单台|单个节点|一个节点|单节点!数据丢失|泄露|勒索'),
(1, 'cap', 'P2', '部分用户|个别用户|个别|部分功能|次要|非关键|非核心|报表!大部分|数据丢失|泄露|勒索'),
(1, 'cap', 'P3', 'how to|how do|how can|what if|what happens|in case|if there|prevent|avoid|wondering|would like to know|question|hypothetical|hypothetically!:'),
(1, 'cap', 'P3', 'drill|exercise|planned maintenance|scheduled maintenance|staging|test environment|dev environment|development environment|sandbox|uat'),
(1, 'cap', 'P3', 'yesterday|last week|last month|last year|last night|used to!since|still|now|again|until now|ongoing'),
(1, 'cap', 'P1', 'mobile app|ios|android|one region|one node|single node|one of our|key function|core function'),
(1, 'cap', 'P2', 'some users|one user|a few users|single user|one customer|some features|non-critical|minor|report|reports!lost|leaked|ransomware|stolen'),

(1, 'over', 'P3', '已恢复|已经恢复|恢复正常|恢复了|已解决|已经解决|已修复|已经修复!又|再次|尽快|何时|什么时候|希望|请|无法|不能|才能|之前|能否|多久'),
(1, 'over', 'P3', 'recovered|is resolved|was resolved|has been resolved|been fixed|is fixed|back to normal|back online|working again!again down|when|until|please|before|asap'),

(1, 'not', 'P4', '没有|并没有|没|未|未完全|未全部|并未|尚未|未曾|未发生|未出现|未造成|不是|并非|并不|不会|不|不存在|不再'),
(1, 'not', 'P4', 'no|not|never|without|isn''t|wasn''t|aren''t|didn''t|doesn''t|hasn''t|haven''t|won''t|no longer|neither|nor|nothing|hardly')
on conflict (tenant_id, keyword) do update set kind = excluded.kind, priority = excluded.priority;

-- The types of incident of the service desk's rules can be chosen when a ticket is created; eight of the 24 were not in the catalogue.
alter table tickets add column incident_type text;
insert into catalogue (tenant_id, kind, code, name_zh, name_en, priority) values
(1, 'incident_type', 'p0-no-trading', '金融系统无法处理交易', 'A financial system processes no transactions', 'P0'),
(1, 'incident_type', 'p0-process-stopped', '关键业务流程完全停止', 'A key business process has stopped', 'P0'),
(1, 'incident_type', 'p0-all-users', '影响所有用户的服务中断', 'A service is interrupted for all users', 'P0'),
(1, 'incident_type', 'p1-orders', '订单处理系统故障', 'Order processing has failed', 'P1'),
(1, 'incident_type', 'p1-third-party', '关键第三方集成失败', 'A key third-party integration fails', 'P1'),
(1, 'incident_type', 'p1-customer-group', '特定客户群体服务中断', 'A group of customers is cut off', 'P1'),
(1, 'incident_type', 'p1-mobile', '移动端应用完全无法使用', 'The mobile application is unusable', 'P1'),
(1, 'incident_type', 'p1-key-function', '关键功能对所有用户不可用', 'A key function is unavailable to all users', 'P1');

-- SPDX-License-Identifier: Apache-2.0
-- Domains below which everybody has an address or may register a name are nobody's, whoever names or confirms them: an ending of a registry (one label;
-- com, co, org and the like below a country), and the services where people have private mailboxes.
create or replace function mail_domain_is_public(d text) returns boolean language sql immutable parallel safe return
  d !~ '[.]' or d ~ '^(ac|co|com|edu|go|gob|gov|mil|ne|net|or|org|sch)[.][a-z]{2}$'
  or d = any ('{gmail.com,googlemail.com,outlook.com,hotmail.com,live.com,msn.com,outlook.cn,yahoo.com,ymail.com,rocketmail.com,aol.com,icloud.com,me.com,mac.com,
    proton.me,protonmail.com,pm.me,tutanota.com,gmx.com,gmx.net,gmx.de,web.de,t-online.de,freenet.de,mail.com,email.com,zoho.com,fastmail.com,hey.com,
    yandex.com,yandex.ru,ya.ru,mail.ru,bk.ru,inbox.ru,list.ru,rambler.ru,qq.com,foxmail.com,vip.qq.com,163.com,vip.163.com,126.com,vip.126.com,yeah.net,188.com,
    sina.com,sina.cn,vip.sina.com,sohu.com,vip.sohu.com,139.com,189.cn,wo.cn,21cn.com,tom.com,aliyun.com,eyou.com,naver.com,hanmail.net,daum.net,kakao.com,
    docomo.ne.jp,ezweb.ne.jp,softbank.ne.jp,i.softbank.jp,nifty.com,orange.fr,wanadoo.fr,free.fr,laposte.net,sfr.fr,libero.it,virgilio.it,tiscali.it,
    btinternet.com,sky.com,virginmedia.com,talktalk.net,comcast.net,verizon.net,att.net,sbcglobal.net,cox.net,charter.net,bigpond.com,optusnet.com.au,
    shaw.ca,rogers.com,uol.com.br,bol.com.br,terra.com.br,rediffmail.com,seznam.cz,wp.pl,o2.pl,onet.pl,interia.pl,abv.bg,ukr.net,
    mailinator.com,guerrillamail.com,10minutemail.com,yopmail.com,github.io,gitlab.io,pages.dev,workers.dev,vercel.app,netlify.app,herokuapp.com,
    appspot.com,azurewebsites.net,amazonaws.com,cloudfront.net,blogspot.com,wordpress.com,duckdns.org,no-ip.org,dyndns.org}')
  or d ~ '^(yahoo|hotmail|live|outlook|gmx|yandex)[.](co[.])?[a-z]{2}([.][a-z]{2})?$' or d ~ '^(yahoo|hotmail|live|outlook)[.]com[.][a-z]{2}$'
  or d ~ '[.]onmicrosoft[.]com$' or d = 'onmicrosoft.com';

create or replace function mail_domain_refused() returns trigger language plpgsql as $$
begin
  if mail_domain_is_public(new.domain) then
    raise exception 'nobody owns this domain: everybody may have a name or an address below it' using errcode = 'SD003', constraint = 'mail_domains_public';
  end if;
  return new;
end
$$;
create or replace trigger not_public before insert or update of domain on mail_domains for each row execute function mail_domain_refused();

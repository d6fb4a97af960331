-- SPDX-License-Identifier: Apache-2.0
-- The network of an address, as wrong passwords are counted and known places are remembered: IPv4 /24, IPv6 /64. What is no address (a Unix
-- socket) stands for itself.
create or replace function login_network(p_address text)
returns text language sql immutable as $$
  select case when p_address ~ '^([0-9]{1,3}[.]){3}[0-9]{1,3}$|^[0-9a-f:]*:[0-9a-f:]*$'
    then network(set_masklen(p_address::inet, case when p_address like '%:%' then 64 else 24 end))::text else p_address end
$$;

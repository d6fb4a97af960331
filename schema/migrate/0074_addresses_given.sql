-- SPDX-License-Identifier: Apache-2.0
-- A mail address that an administrator has given to a user is the user's only when its owner has followed the link that is mailed to it.
alter table client_users add column address_given_at timestamptz; -- given and not confirmed since; null: confirmed, or from before
alter table password_resets drop constraint password_resets_purpose_check;
alter table password_resets add constraint password_resets_purpose_check check (purpose in ('reset', 'link', 'address'));

-- SPDX-License-Identifier: Apache-2.0
-- Whether a finished export holds everything that was asked for, or was cut at its max_records; null for those that ended before this was recorded.
alter table exports add column complete boolean;

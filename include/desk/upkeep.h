/* SPDX-License-Identifier: Apache-2.0
 * Work that the desk does by itself. */
#ifndef SLADESK_DESK_UPKEEP_H
#define SLADESK_DESK_UPKEEP_H

/* rebind.c: running tickets follow a calendar that only gained future dates; and a warning while
 * next year's are missing. */
void rebind_init(void);
void rebind_free(void);
int rebind_missing_calendars(void);

/* upkeep.c: partitions made ahead, what is over taken away. */
void upkeep_init(void);
void upkeep_free(void);

#endif

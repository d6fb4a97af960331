/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability ticket. */
#include "ticket.h"
#include "db/db.h"

static enum check_state check_database(struct buf *more)
{
	(void)more;
	return db_health(SQL_POINT).up ? CHECK_HEALTHY : CHECK_DOWN;
}

static const struct check checks[] = { { "tickets", true, check_database }, { 0 } };

const struct feature ticket_feature = {
	.name = "ticket", .routes = ticket_routes, .checks = checks
};

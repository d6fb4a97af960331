/* SPDX-License-Identifier: Apache-2.0 */
#include "sso.h"
#include "flow_gen.h"
#include "sql_gen.h"

/* The addresses that all providers shared; they answer 410. */
static const struct deprecation shared_callback = { "2026-11-27", "2027-05-31",
	"/api/v1/auth/sso/callback/{tenant_id}/{provider_id}" };
static const struct deprecation shared_acs = { "2026-11-27", "2027-05-31",
	"/api/v1/auth/sso/acs/{tenant_id}/{provider_id}" };

const struct route sso_routes[] = {
	{ HTTP_GET, "/api/v1/auth/sso/start", PERM_ANYONE, .flow = sso_start,
		.contract = &contract_sso_start, .limit = LIMIT_LOGIN },
	{ HTTP_POST, "/api/v1/auth/sso/discover", PERM_ANYONE, .flow = sso_discover,
		.check = sso_discover_check, .contract = &contract_sso_discover,
		.limit = LIMIT_LOGIN },
	{ HTTP_GET, "/api/v1/auth/sso/callback", PERM_ANYONE, .flow = sso_moved,
		.contract = &contract_sso_moved, .limit = LIMIT_LOGIN, .old = &shared_callback },
	{ HTTP_GET, "/api/v1/auth/sso/callback/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = sso_callback, .contract = &contract_sso_callback, .limit = LIMIT_LOGIN },
	{ HTTP_POST, "/api/v1/auth/sso/backchannel/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = sso_backchannel, .contract = &contract_sso_backchannel },
	{ HTTP_POST, "/api/v1/auth/sso/acs", PERM_ANYONE, .flow = sso_moved,
		.contract = &contract_sso_acs_moved, .limit = LIMIT_LOGIN, .old = &shared_acs },
	{ HTTP_POST, "/api/v1/auth/sso/acs/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = saml_acs, .contract = &contract_sso_acs, .limit = LIMIT_LOGIN },
	{ HTTP_POST, "/api/v1/auth/sso/slo/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = saml_slo, .contract = &contract_sso_slo },
	{ HTTP_GET, "/api/v1/auth/sso/slo/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = saml_slo_back, .contract = &contract_sso_slo_back },
	{ HTTP_GET, "/api/v1/auth/sso/saml-metadata/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = saml_metadata, .contract = &contract_sso_saml_metadata },
	{ HTTP_GET, "/api/v1/client/admin/identity-providers", PERM_USER_READ,
		.sql = &sql_sso_provider_list, .sensitive = true },
	{ HTTP_POST, "/api/v1/client/admin/identity-providers", PERM_USER_WRITE, ONLY_CUSTOMER,
		.flow = sso_provider_put, .check = sso_provider_check,
		.contract = &contract_sso_provider_new, .reach = REACH_ADMIN, .step_up = true },
	{ HTTP_PUT, "/api/v1/client/admin/identity-providers/{provider_id}", PERM_USER_WRITE,
		ONLY_CUSTOMER, .flow = sso_provider_put, .check = sso_provider_check,
		.contract = &contract_sso_provider_set, .reach = REACH_ADMIN, .step_up = true },
	{ HTTP_DELETE, "/api/v1/client/admin/identity-providers/{provider_id}", PERM_USER_WRITE,
		.sql = &sql_sso_provider_remove, .reach = REACH_ADMIN, .step_up = true },
	{ HTTP_GET, "/api/v1/client/admin/mail-domains", PERM_USER_READ,
		.sql = &sql_sso_domain_list },
	{ HTTP_POST, "/api/v1/client/admin/mail-domains", PERM_USER_WRITE, ONLY_CUSTOMER,
		.sql = &sql_sso_domain_new, .reach = REACH_ADMIN },
	{ HTTP_POST, "/api/v1/client/admin/mail-domains/{domain_id}/verify", PERM_USER_WRITE,
		ONLY_CUSTOMER, .flow = sso_domain_verify, .contract = &contract_sso_domain_verify,
		.limit = LIMIT_LOGIN, .reach = REACH_ADMIN, .step_up = true },
	{ HTTP_DELETE, "/api/v1/client/admin/mail-domains/{domain_id}", PERM_USER_WRITE,
		.sql = &sql_sso_domain_remove, .reach = REACH_ADMIN },
	{ 0 },
};

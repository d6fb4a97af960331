/* SPDX-License-Identifier: Apache-2.0 */
#include "sso.h"
#include "flow_gen.h"
#include "sql_gen.h"

const struct route sso_routes[] = {
	{ HTTP_GET, "/api/v1/auth/sso/start", PERM_ANYONE, .flow = sso_start,
		.contract = &contract_sso_start, .limit = LIMIT_LOGIN },
	{ HTTP_POST, "/api/v1/auth/sso/discover", PERM_ANYONE, .flow = sso_discover,
		.check = sso_discover_check, .contract = &contract_sso_discover,
		.limit = LIMIT_LOGIN },
	{ HTTP_GET, "/api/v1/auth/sso/callback", PERM_ANYONE, .flow = sso_moved,
		.contract = &contract_sso_moved, .limit = LIMIT_LOGIN },
	{ HTTP_GET, "/api/v1/auth/sso/callback/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = sso_callback, .contract = &contract_sso_callback, .limit = LIMIT_LOGIN },
	{ HTTP_POST, "/api/v1/auth/sso/backchannel/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = sso_backchannel, .contract = &contract_sso_backchannel },
	{ HTTP_POST, "/api/v1/auth/sso/acs", PERM_ANYONE, .flow = sso_moved,
		.contract = &contract_sso_acs_moved, .limit = LIMIT_LOGIN },
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
		.contract = &contract_sso_provider_new },
	{ HTTP_PUT, "/api/v1/client/admin/identity-providers/{provider_id}", PERM_USER_WRITE,
		ONLY_CUSTOMER, .flow = sso_provider_put, .check = sso_provider_check,
		.contract = &contract_sso_provider_set },
	{ HTTP_DELETE, "/api/v1/client/admin/identity-providers/{provider_id}", PERM_USER_WRITE,
		.sql = &sql_sso_provider_remove },
	{ 0 },
};

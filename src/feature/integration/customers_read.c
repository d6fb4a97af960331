/* SPDX-License-Identifier: Apache-2.0
 * Reading customers, contracts and contacts of a source system: each field is checked, and an item
 * with an invalid one is rejected with the name of the field. Pure. */
#include "customers_read.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "core/contract.h"

#define CUSTOMERS_MAX 200
#define PARTS_MAX 500

static bool text_fits(struct json_object *o, const char *key, size_t min, size_t max)
{
	struct json_object *v = json_get(o, key);
	size_t n;

	if (!v)
		return min == 0;
	n = json_object_is_type(v, json_type_string) ? utf8_length(json_str(v).p, json_str(v).n)
						     : 0;
	return json_object_is_type(v, json_type_string) && !text_is_blank(json_str(v)) && n <= max;
}

static bool date_fits(struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);
	int64_t days;

	return !v || (json_object_is_type(v, json_type_string) && date_parse(json_str(v), &days));
}

static bool bool_fits(struct json_object *o, const char *key)
{
	return !json_get(o, key) || json_object_is_type(json_get(o, key), json_type_boolean);
}

static bool code_fits(struct json_object *o)
{
	const char *s = json_get_string(o, "code");

	return !json_get(o, "code") ||
	       (s && s[0] && s[0] != '-' && strlen(s) <= 63 &&
		       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s) &&
		       strspn(s, "0123456789") < strlen(s)); /* that would be a number */
}

/* Returns NULL, or the field that is invalid. */
static const char *contract_broken(struct json_object *c)
{
	const char *status = json_get_string(c, "status"), *from = json_get_string(c, "starts_on"),
		   *to = json_get_string(c, "ends_on");

	if (!text_fits(c, "external_id", 1, 100))
		return "contracts.external_id";
	if (!text_fits(c, "name", 1, 200))
		return "contracts.name";
	if (json_get(c, "status") &&
		(!status || (strcmp(status, "draft") != 0 && strcmp(status, "active") != 0 &&
				    strcmp(status, "ended") != 0)))
		return "contracts.status";
	if (!date_fits(c, "starts_on"))
		return "contracts.starts_on";
	return !date_fits(c, "ends_on") || (from && to && strcmp(to, from) < 0)
		       ? "contracts.ends_on"
		       : NULL;
}

static const char *contact_broken(struct json_object *c)
{
	const char *mail = json_get_string(c, "email"), *phone = json_get_string(c, "phone");

	if (!text_fits(c, "external_id", 1, 100))
		return "contacts.external_id";
	if (!text_fits(c, "name", 1, 100))
		return "contacts.name";
	if (!text_fits(c, "title", 0, 100))
		return "contacts.title";
	if (!text_fits(c, "email", 0, 254) || (mail && !text_is_mail(mail)))
		return "contacts.email";
	if (!text_fits(c, "phone", 0, 40) || (phone && !format_rule(FORMAT_PHONE)->fits(phone)))
		return "contacts.phone";
	return bool_fits(c, "vip") ? NULL : "contacts.vip";
}

static const char *parts_broken(
	struct json_object *o, const char *key, const char *(*broken)(struct json_object *))
{
	struct json_object *list = json_get(o, key);
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (list && (!json_object_is_type(list, json_type_array) || n > PARTS_MAX))
		return key;
	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		const char *why = json_object_is_type(one, json_type_object) ? broken(one) : key;

		if (why)
			return why;
	}
	return NULL;
}

static const char *customer_broken(struct json_object *o)
{
	const char *lang = json_get_string(o, "lang"), *why;

	if (!json_object_is_type(o, json_type_object) || !text_fits(o, "external_id", 1, 100))
		return "external_id";
	if (!text_fits(o, "name", 1, 200))
		return "name";
	if (!code_fits(o))
		return "code";
	if (json_get(o, "lang") && (!lang || (strcmp(lang, "zh") != 0 && strcmp(lang, "en") != 0)))
		return "lang";
	if (!bool_fits(o, "vip"))
		return "vip";
	if (!text_fits(o, "customer_success_manager", 0, 100))
		return "customer_success_manager";
	if (!text_fits(o, "hotline", 0, 100))
		return "hotline";
	why = parts_broken(o, "contracts", contract_broken);
	return why ? why : parts_broken(o, "contacts", contact_broken);
}

bool delivery_is_list(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) && json_object_array_length(list) >= 1 &&
	       json_object_array_length(list) <= CUSTOMERS_MAX;
}

void delivery_read(struct delivery *d, struct json_object *list)
{
	d->n = json_object_array_length(list);
	d->good = json_object_new_array();
	for (size_t i = 0; i < d->n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *why = customer_broken(o);

		if (!why)
			json_object_array_add(d->good, json_object_get(o));
		else
			delivery_reject(d,
				json_object_is_type(o, json_type_object)
					? json_get_string(o, "external_id")
					: NULL,
				why, "does not match the API description");
	}
}

void delivery_reject(struct delivery *d, const char *id, const char *field, const char *rule)
{
	buf_adds(&d->rejects, d->rejected++ ? ",{\"external_id\":" : "[{\"external_id\":");
	buf_add_json(&d->rejects, id ? id : "", id ? strlen(id) : 0);
	buf_addf(&d->rejects, ",\"field\":\"%s\",\"rule\":\"%s\"}", field, rule);
}

const char *delivery_rejects(struct delivery *d)
{
	if (d->rejected && d->rejects.p[d->rejects.n - 1] != ']')
		buf_addc(&d->rejects, ']');
	return d->rejected ? buf_cstr(&d->rejects) : "[]";
}

void delivery_free(struct delivery *d)
{
	json_object_put(d->good);
	buf_free(&d->rejects);
	*d = (struct delivery){ 0 };
}

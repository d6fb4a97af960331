# SPDX-License-Identifier: Apache-2.0
# Turn contract files into C: statements (*.sql: contract and text) or flows (*.flow: contract alone).
# usage: awk -f mksql.awk -v kind=sql|flow -v what=h|c -v permissions=FILE FILE...      The grammar: doc/HACKING.md.
# Misspelt, missing, undeclared or unused names stop the build.
function die(msg) { printf "%s: %s\n", at_file, msg > "/dev/stderr"; failed = 1; exit 1 }
function cstr(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
function join(a, b) { return a == "" ? b : a " " b }
# The schema door serves clients that are not logged in; in C it is called "preauth".
function mode_of(mode) { return mode == "door" ? "PREAUTH" : toupper(mode) }
function id_of(name) { gsub("/", "_", name); return name }

# --- one file's lines ---

# "area/verb: description": VERB is the name of the file, or AREA_VERB; the area below schema/query is its directory.
function head(line,   want, verb, file) {
	if (!match(line, /^[a-z_]+\/[a-z_]+: /)) die("the first line must be 'area/verb: description'")
	name = substr(line, 1, RLENGTH - 2)
	about = substr(line, RLENGTH + 1)
	file = at_file; sub(/.*\//, "", file); sub(/\.[a-z]+$/, "", file)
	tag = at_file; sub(/\/(contract\/)?[^\/]*$/, "", tag); sub(/.*\//, "", tag)
	verb = name; sub(/.*\//, "", verb)
	want = name; gsub("/", "_", want)
	if (file != verb && file != want) die("the header says " name)
	if (at_file ~ /schema\/query\// && name != tag "/" file) die("the header says " name)
	if (kind == "flow" && at_file !~ /schema\/query\// && name != tag "/" file) die("the header says " name)
	if (name in seen) die(name " is also in " seen[name])
	seen[name] = at_file
}
function keys(n, f,   i, k, v) {
	for (i = 1; i <= n; i += 2) {
		k = f[i]; v = f[i + 1]
		if (kind == "sql" && k == "shape:" && v ~ /^(list|object|rows)$/) shape = v
		else if (kind == "sql" && k == "class:" && v ~ /^(point|slow|fire|job)$/) class = v
		else if (kind == "sql" && k == "cursor:") { c1 = v; c2 = f[i + 2]; i++ }
		else if (k == "mode:" && v ~ (kind == "sql" ? "^(read|write|job|door)$" : "^(read|write|door)$")) mode = v
		else if (kind == "flow" && k == "reply:" && v ~ /^(object\??|list|null|bare|redirect|socket|[a-z]+\/[a-z0-9.+*-]+)$/) reply = v
		else if (kind == "flow" && k == "status:" && v ~ /^2[0-9][0-9]$/) status = v
		else if (kind == "flow" && k == "also:" && v ~ /^[45][0-9][0-9]$/) also = v
		else if (kind == "flow" && k == "base:") base = v
		else if (kind == "flow" && k == "most:" && v ~ /^[1-9][0-9]?[0-9]?$/) most = v
		else if (kind == "flow" && k == "unknown:" && v == "ignored") open = 1
		else die("unknown key or value: " k " " v)
	}
}
# What the daemon gives itself (src/core/bind.c): a misspelt key must not become another value.
function known_key(src, path,   line, right) {
	if (src == "idem" && path !~ /^(key|sha256|actor)$/) die("unknown key idem." path)
	if (src == "cursor" && path !~ /^[01]$/) die("unknown key cursor." path)
	if (src != "session" || path ~ /^(now|row|url|tenant|customer)$/) return
	if (path !~ /^may\./) die("unknown key session." path)
	if (!rights_read) {
		while ((getline line < permissions) > 0)
			if (split(line, right, /[(), ]+/) > 4 && right[1] == "PERMISSION") rights[right[3] ":" right[4]] = 1
		close(permissions)
		rights_read = 1
	}
	if (!(substr(path, 5) in rights)) die("unknown permission " substr(path, 5))
}
# NAME TYPE SOURCE CONSTRAINT…, starting at f[a]
function param(n, f, a,   i, k, v, s, src, path, up, type, list, out, what) {
	type = f[a + 1]
	list = sub(/\[\]$/, "", type)
	if (type !~ /^(text|int|bigint|number|id|tenant|bool|time|json|object)$/ || (kind == "sql" && (list || type ~ /^(object|number|tenant)$/))) die("unknown type " f[a + 1])
	if (!match(f[a + 2], /^[a-z]+\./)) die("unknown source " f[a + 2])
	src = substr(f[a + 2], 1, RLENGTH - 1); path = substr(f[a + 2], RLENGTH + 1)
	if (src !~ (kind == "sql" ? "^(path|query|body|session|idem|call|cursor)$" : "^(path|query|body|form|header)$")) die("unknown source " f[a + 2])
	if (src == "header" && path !~ /^(If-Match|Idempotency-Key)$/) die("unknown header " path)
	if (kind == "sql") known_key(src, path)
	if (kind == "flow" && src != "body" && (list || type ~ /^(json|object)$/)) die(path ": only a body can contain " f[a + 1])
	np++
	if (path ~ /^(limit|cursor)$/ && src == "query") paged[path] = 1
	if (src == "cursor") paged[path] = 1
	parent[np] = 0
	what = path; gsub(/\[\]/, "", what); where[what] = np
	if (src == "body" && match(what, /.*\./)) {
		up = substr(what, 1, RLENGTH - 1)
		if (!(up in where)) die(path " is a member of " up ", which must be declared before it")
		if (ptype[where[up]] != "object") die(path " is a member of " up ", which is not an object")
		parent[np] = where[up]
	}
	s = what; sub(/.*\./, "", s)
	ptype[np] = type; pname[np] = f[a]; plist[np] = list
	if (src == "path") need[np] = 1
	if (src == "form") form = 1
	if (src == "cursor" && type != "bigint") die(path ": the type of a cursor must be bigint")
	out = sprintf(".name = %s, .key = %s, .source = FROM_%s", cstr(kind == "sql" ? f[a] : path), cstr(s), toupper(src))
	out = out ", .type = PARAM_" toupper(type ~ /^(id|tenant)$/ ? "bigint" : type)
	if (type ~ /^(id|tenant)$/) out = out ", .min = 1, .max = 9007199254740991LL, .has_range = true"
	if (type == "tenant") out = out ", .served = true"
	if (list) out = out ", .list = true"
	for (i = a + 3; i <= n; i++) {
		k = f[i]; v = ""
		if (index(f[i], "=")) { k = substr(f[i], 1, index(f[i], "=") - 1); v = substr(f[i], index(f[i], "=") + 1) }
		if (k == "required") { out = out ", .required = true"; need[np] = 1 }
		else if (k == "optional") { }
		else if (k == "default" && v != "") { out = out ", .fallback = " cstr(v); need[np] = 1 }
		else if ((k == "range" || k == "len") && v ~ /^-?[0-9]+\.\.-?[0-9]+$/) {
			split(v, s2, /\.\./)
			sub(/, \.min = [^,]*, \.max = [^,]*, \.has_range = true/, "", out) # the range of an id
			out = out sprintf(", .min = %sLL, .max = %sLL, .has_range = true", s2[1], s2[2])
		} else if (k == "items" && list && v ~ /^[0-9]+\.\.[0-9]+$/) { split(v, s2, /\.\./); out = out sprintf(", .items_min = %s, .items_max = %s", s2[1], s2[2]) }
		else if (k == "in" && v != "") out = out ", .in = " cstr(v)
		else if (k == "shown" && v != "") out = out ", .shown = " cstr(v)
		else if (k == "words" && v != "" && src == "query" && type == "text") out = out ", .shown = " cstr(v) ", .words = true"
		else if (k == "like" && v ~ /^[a-z0-9_]+$/) out = out ", .like = FORMAT_" toupper(v)
		else if (k == "example" && v != "") { # to the end of the line
			while (i < n) v = v " " f[++i]
			out = out ", .example = " cstr(v)
		}
		else if (k == "sealed" && v ~ /^[a-z0-9_.]+$/ && type == "text" && !list && src == "body") out = out ", .sealed = " cstr(v)
		else if (k == "loose") { out = out ", .loose = true"; loose[np] = 1 }
		else if (k == "distinct" && list && type == "text") out = out ", .distinct = true"
		else if (k == "more" && type == "object" && !list) out = out ", .more = true"
		else die("unknown constraint " f[i])
	}
	if (list && out !~ /items_max/) die(path ": a list must have items=a..b")
	if (parent[np] && loose[parent[np]]) loose[np] = 1
	inside[np] = index(path, "[]") > 0 || (parent[np] && loose[parent[np]]) || (loose[np] && !list && type != "object")
	if (inside[np] && f[a] != "-") die(path ": its name must be -, because it has no member in the input struct")
	if (f[a] != "-" && f[a] !~ /^[a-z][a-z0-9_]*$/) die(path ": its name must be an identifier, or - if it has no member in the input struct")
	if (f[a] == "-") inside[np] = 1
	p[np] = out
}
function returned(text,   n, i, f, parts) {
	if (kind == "flow") {
		gsub(/^ +| *,? *$/, "", text)
		n = split(text, parts, /, */)
		for (i = 1; i <= n; i++)
			if (split(parts[i], f, " ") != 2 || f[1] !~ /^([A-Za-z_0-9]+(\[\])?\.)*([A-Za-z_0-9]+|\*)$/ || f[2] !~ /^(text|int|bigint|bool|number|time|date|json|object)(\[\])?\??$/) die("invalid returns: " parts[i])
	}
	returns = join(returns, text (kind == "flow" ? "," : ""))
}

# --- output ---

function finish_sql(   i, id, used) {
	if (mode == "" || shape == "" || class == "") die("no '-- mode: … shape: … class: …' line")
	if (shape == "list" && !(c1 != "" && paged["limit"] && paged["0"] && paged["1"])) die("a list has query.limit, cursor.0, cursor.1 and the columns of its cursor, so that it can be read to its end")
	for (i = 1; i <= np; i++) if (text !~ ("\\$" i "([^0-9]|$)")) die("$" i " is declared and not used")
	used = text
	while (match(used, /\$[0-9]+/)) {
		i = substr(used, RSTART + 1, RLENGTH - 1) + 0
		if (i < 1 || i > np) die("$" i " is used and not declared")
		used = substr(used, RSTART + RLENGTH)
	}
	id = id_of(name); ids[++count] = id
	if (what == "h") { printf "extern const struct sql_stmt sql_%s;\n", id; return }
	if (np) {
		printf "static const struct param params_%s[] = {\n", id
		for (i = 1; i <= np; i++) printf "\t{ %s, .parent = -1, .slot = -1, .given = -1 },\n", p[i]
		print "};"
	}
	printf "static const struct contract contract_%s = { .name = %s, .about = %s,\n\t.tag = %s, .mode = SQL_%s, .reply = %s, .params = %s, .param_count = %d",
		id, cstr(name), cstr(about), cstr(tag), mode_of(mode), shape == "list" ? "REPLY_LIST" : "REPLY_OBJECT", np ? "params_" id : "NULL", np
	if (about_zh != "") printf ",\n\t.about_zh = %s", cstr(about_zh)
	if (returns != "") printf ",\n\t.returns = %s", cstr(returns)
	print " };"
	printf "const struct sql_stmt sql_%s = { .name = %s, .contract = &contract_%s, .mode = SQL_%s, .shape = SQL_%s,\n\t.class = SQL_%s, .index = %d, .param_count = %d",
		id, cstr(name), id, mode_of(mode), toupper(shape), (class == "job" ? "CLASS_JOB" : toupper(class)), count - 1, np
	if (c1 != "") printf ", .cursor = { \"%s\", \"%s\" }", c1, c2
	printf ",\n\t.text = %s };\n\n", lines
}
# A flow waits for its base, which may come later, so flows are kept until all have been read.
function finish_flow(   i, id) {
	if (name ~ /\/capability$/) { # what the capability is for: a tag of the documents
		if (about_zh == "" || np || mode != "") die("it must consist of the line area/capability and a zh: line")
		tags[++tag_count] = sprintf("{ %s, %s, %s }", cstr(tag), cstr(about), cstr(about_zh))
		return
	}
	if (mode == "" || reply == "") die("no 'mode: … reply: …' line")
	if (about_zh == "") die("no 'zh:' line")
	if (most == "" && (reply == "list" || (" " returns) ~ / (items object\[\]|next_cursor) /) && !(paged["limit"] && paged["cursor"])) die("a list has query.limit and query.cursor, so that it can be read to its end, or at most so many items (most: …)")
	if (status != "" && reply ~ /^(redirect|socket)$/) die("reply " reply " has a fixed status")
	id = id_of(name); ids[++count] = id
	f_name[id] = name; f_about[id] = about; f_zh[id] = about_zh; f_tag[id] = tag; f_mode[id] = mode; sub(/\?$/, "", reply) && (f_null[id] = 1); f_reply[id] = reply
	f_status[id] = status; f_also[id] = also; f_base[id] = id_of(base); f_open[id] = open; f_form[id] = form; f_file[id] = at_file; f_np[id] = np
	sub(/,$/, "", returns); f_returns[id] = returns; f_example[id] = example
	for (i = 1; i <= np; i++) {
		f_p[id, i] = p[i]; f_parent[id, i] = parent[i]; f_pname[id, i] = pname[i]; f_inside[id, i] = inside[i]
		f_ctype[id, i] = plist[i] || ptype[i] ~ /^(json|object)$/ ? "struct json_object *" : ptype[i] == "text" ? "const char *" : ptype[i] == "number" ? "double " : ptype[i] == "bool" ? "bool " : ptype[i] == "int" ? "int " : "int64_t "
		f_given[id, i] = f_ctype[id, i] !~ /\*/ && ptype[i] != "time" && !need[i]
	}
}
function write_struct(id,   i, n) {
	if (id in written) return
	written[id] = 1
	at_file = f_file[id]
	if (f_base[id] != "") {
		if (!(f_base[id] in f_name)) die("no base " f_base[id])
		write_struct(f_base[id])
	}
	printf "\n/* %s */\nstruct in_%s {\n", f_name[id], id
	if (f_base[id] != "") printf "\tstruct in_%s base;\n", f_base[id]
	for (i = 1; i <= f_np[id]; i++) {
		if (f_inside[id, i]) continue
		n++
		printf "\t%s%s;\n", f_ctype[id, i], f_pname[id, i]
		if (f_given[id, i]) printf "\tbool has_%s;\n", f_pname[id, i]
	}
	if (!n && f_base[id] == "") print "\tchar none; /* it takes nothing */"
	printf "};\nextern const struct contract contract_%s;\n", id
}
# ID's parameters as those of TOP, beginning with those of its base; returns their number
function write_params(id, top,   from, i, slot, given) {
	from = f_base[id] == "" ? 0 : write_params(f_base[id], top)
	for (i = 1; i <= f_np[id]; i++) {
		slot = f_inside[id, i] ? "-1" : sprintf("offsetof(struct in_%s, %s)", id, f_pname[id, i])
		given = f_given[id, i] && !f_inside[id, i] ? sprintf("offsetof(struct in_%s, has_%s)", id, f_pname[id, i]) : "-1"
		printf "\t{ %s, .parent = %d,\n\t\t.slot = %s, .given = %s },\n", f_p[id, i], f_parent[id, i] ? from + f_parent[id, i] - 1 : -1, slot, given
	}
	return from + f_np[id]
}
function write_flow(id,   n, b) {
	for (b = id; b != ""; b = f_base[b]) n += f_np[b]
	if (n) {
		printf "static const struct param params_%s[] = {\n", id
		write_params(id, id)
		print "};"
	}
	printf "const struct contract contract_%s = { .name = %s, .about = %s,\n\t.about_zh = %s, .tag = %s, .mode = SQL_%s, .reply = REPLY_%s", id, cstr(f_name[id]), cstr(f_about[id]), cstr(f_zh[id]), cstr(f_tag[id]), mode_of(f_mode[id]), f_reply[id] ~ /\// ? "MEDIA" : toupper(f_reply[id])
	if (f_reply[id] ~ /\//) printf ", .media = %s", cstr(f_reply[id])
	if (f_status[id] != "") printf ", .status = %s", f_status[id]
	if (f_also[id] != "") printf ", .also = %s", f_also[id]
	if (f_null[id]) printf ", .nullable = true"
	if (f_open[id]) printf ", .open = true"
	if (f_form[id]) printf ", .form = true"
	for (b = id; b != "" && f_returns[b] == ""; b = f_base[b]);
	if (b != "") printf ",\n\t.returns = %s", cstr(f_returns[b])
	for (b = id; b != "" && f_example[b] == ""; b = f_base[b]);
	if (b != "") printf ",\n\t.example = %s", cstr(f_example[b])
	if (f_base[id] != "") printf ",\n\t.base = &contract_%s", f_base[id]
	printf ",\n\t.params = %s, .param_count = %d, .input_size = sizeof(struct in_%s) };\n\n", n ? "params_" id : "NULL", n, id
}
function finish() {
	if (at_file == "") return
	if (name == "") die("it is empty")
	if (kind == "sql") finish_sql(); else finish_flow()
}
function line_of(s,   f, n) {
	if (s == "") return
	if (name == "") { head(s); return }
	n = split(s, f, /[ \t]+/)
	if (f[1] == "zh:") about_zh = substr(s, 5)
	else if (f[1] == "returns") returned(substr(s, 9))
	else if (kind == "flow" && f[1] == "example:") example = substr(s, 10)
	else if (f[1] ~ /^[a-z]+:$/) keys(n, f)
	else if (kind == "flow") { if (n < 3) die("unknown line: " s); param(n, f, 1) }
	else if (f[1] == "$" (np + 1)) param(n, f, 2)
	else if (f[1] ~ /^\$/) die("parameters must be numbered in order: " f[1])
}
BEGIN {
	print "/* Generated by src/gen/mksql.awk from the contract files. Do not edit. */"
	if (what == "h" && kind == "sql") print "#ifndef SLADESK_SQL_GEN_H\n#define SLADESK_SQL_GEN_H\n\n#include \"db/stmt.h\"\n"
	else if (what == "h") print "#ifndef SLADESK_FLOW_GEN_H\n#define SLADESK_FLOW_GEN_H\n\n#include \"core/contract.h\""
	else if (kind == "sql") print "#include \"sql_gen.h\"\n#include \"core/contract.h\"\n"
	else print "#include \"flow_gen.h\"\n"
}
FNR == 1 {
	finish()
	at_file = FILENAME
	name = about = about_zh = returns = mode = shape = class = text = lines = c1 = c2 = reply = status = also = base = most = example = tag = ""
	np = open = form = 0
	split("", p); split("", need); split("", where); split("", parent); split("", loose); split("", paged)
}
{
	if (kind == "flow") { sub(/[ \t]+$/, ""); if ($0 !~ /^#/) line_of($0) }
	else if ($0 ~ /^--/) line_of(substr($0, 4))
	else { text = text $0 "\n"; lines = lines "\n\t\t" cstr($0 "\\n"); sub(/\\\\n"$/, "\\n\"", lines) }
}
END {
	if (failed) exit 1
	finish()
	if (failed) exit 1
	list = kind == "sql" ? "sql_stmts" : "flow_contracts"
	size = kind == "sql" ? "SQL_STMT_COUNT" : "FLOW_COUNT"
	type = kind == "sql" ? "struct sql_stmt" : "struct contract"
	if (kind == "flow") for (i = 1; i <= count; i++) { if (what == "h") write_struct(ids[i]); else write_flow(ids[i]) }
	if (kind == "flow" && what == "h") printf "\n#define FLOW_TAG_COUNT %d\nextern const struct contract_tag flow_tags[FLOW_TAG_COUNT];\n", tag_count
	else if (kind == "flow") {
		print "const struct contract_tag flow_tags[FLOW_TAG_COUNT] = {"
		for (i = 1; i <= tag_count; i++) printf "\t%s,\n", tags[i]
		print "};\n"
	}
	if (what == "h") printf "\n#define %s %d\nextern const %s *const %s[%s];\n\n#endif\n", size, count, type, list, size
	else {
		printf "const %s *const %s[%s] = {\n", type, list, size
		for (i = 1; i <= count; i++) printf "\t&%s_%s,\n", kind == "sql" ? "sql" : "contract", ids[i]
		print "};"
	}
}

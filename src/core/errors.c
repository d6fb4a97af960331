/* SPDX-License-Identifier: Apache-2.0
 * The product's error codes and their messages in both languages. */
#include "inner.h"

#include <stdio.h>

static const struct error_text errors[ERR_COUNT] = {
	[ERR_VALIDATION] = { 400, 40001, "some fields are invalid", "请求参数验证失败" },
	[ERR_MALFORMED] = { 400, 40002, "the request is malformed", "请求格式错误" },
	[ERR_FORBIDDEN] = { 403, 40003, "permission denied", "权限不足，无法访问该资源" },
	[ERR_NO_AUTH] = { 401, 40004, "authentication failed; log in again",
		"认证失败，请重新登录" },
	[ERR_RATE] = { 429, 40005, "too many requests", "请求频率过高，请稍后重试" },
	[ERR_STEP_UP] = { 403, 40006, "confirm that it is you, then try again",
		"请先确认是您本人，然后重试" },
	[ERR_NOT_FOUND] = { 404, 41001, "not found", "请求的数据不存在" },
	[ERR_WRONG_STATE] = { 409, 41002, "not allowed in the current state",
		"数据状态不允许该操作" },
	[ERR_EXISTS] = { 409, 41003, "already exists", "数据已存在，无法重复创建" },
	[ERR_LIMIT] = { 413, 41004, "limit exceeded", "超出数据量限制" },
	[ERR_KEY_REUSED] = { 422, 40001, "the Idempotency-Key was used for another request",
		"该 Idempotency-Key 已用于其他请求" },
	[ERR_IN_FLIGHT] = { 409, 41002,
		"the first request with this Idempotency-Key is still in progress",
		"使用该 Idempotency-Key 的首个请求仍在处理中" },
	[ERR_MEDIA] = { 415, 40002, "unsupported media type", "不支持该内容类型" },
	[ERR_METHOD] = { 405, 40002, "method not allowed", "不支持该请求方法" },
	[ERR_DB] = { 503, 50001, "the database is unavailable; try again later", "数据库连接异常" },
	[ERR_BUSY] = { 503, 50001, "the system is busy; try again", "系统繁忙，请稍后重试" },
	[ERR_UNKNOWN] = { 503, 50001, "the outcome is unknown; retry with the same Idempotency-Key",
		"执行结果未知，请使用相同的 Idempotency-Key 重试" },
	[ERR_INTERNAL] = { 500, 50001, "something went wrong on our side", "系统内部错误" },
};

const struct error_text *error_text(enum err e)
{
	bug_on(e >= ERR_COUNT);
	return &errors[e];
}

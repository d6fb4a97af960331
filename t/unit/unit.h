/* SPDX-License-Identifier: Apache-2.0
 * One CUnit program per module: UNIT_MAIN lists its tests; it prints TAP-like lines and CUnit's own
 * summary at the end, and exits with 1 on any failure. */
#ifndef SLADESK_UNIT_H
#define SLADESK_UNIT_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

#define UNIT_MAIN(suite_name, ...)                                                                 \
	int main(void)                                                                             \
	{                                                                                          \
		static const struct unit_test tests[] = { __VA_ARGS__ };                           \
		unsigned failed;                                                                   \
                                                                                                   \
		if (CU_initialize_registry() != CUE_SUCCESS)                                       \
			return 2;                                                                  \
		CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);                            \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)                      \
			CU_add_test(suite, tests[i].name, tests[i].run);                           \
		CU_basic_set_mode(CU_BRM_NORMAL);                                                  \
		CU_basic_run_tests();                                                              \
		failed = CU_get_number_of_failures();                                              \
		CU_cleanup_registry();                                                             \
		return failed ? 1 : 0;                                                             \
	}

#endif

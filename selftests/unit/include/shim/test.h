/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The harness: TEST(function__case) { ... } defines a case, and the program
 * runs all of them in the order of the file and says TAP. A case fails by a
 * CHECK, by a WARN_ON() of the code under test, by misuse that the shim
 * detects, by a lock that is still held, and by an object that is still alive.
 */
#ifndef _SHIM_TEST_H
#define _SHIM_TEST_H

#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <linux/kernel.h>
#include <shim/env.h>

struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

void test_register(struct test_case *test);
void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends the case at once; what it has allocated is not counted as leaked. */
void test_abort(void) __attribute__((noreturn));

#define TEST(id)							\
	static void id(void);						\
	static struct test_case test_##id = { #id, id, NULL };		\
	__attribute__((constructor)) static void register_##id(void)	\
	{								\
		test_register(&test_##id);				\
	}								\
	static void id(void)

#define CHECK(cond)							\
	({								\
		bool __ok = !!(cond);					\
		if (!__ok)						\
			test_fail(__FILE__, __LINE__, "%s", #cond);	\
		__ok;							\
	})
#define CHECK_EQ(got, want)						\
	({								\
		long long __got = (long long)(got);			\
		long long __want = (long long)(want);			\
		if (__got != __want)					\
			test_fail(__FILE__, __LINE__,			\
				  "%s is %lld, not %s = %lld", #got,	\
				  __got, #want, __want);		\
		__got == __want;					\
	})
#define CHECK_MEM(got, want, len)					\
	({								\
		bool __same = !memcmp(got, want, len);			\
		if (!__same)						\
			test_fail(__FILE__, __LINE__, "%s differs from %s", \
				  #got, #want);				\
		__same;							\
	})
/* For what makes no sense to go on without. */
#define NEED(cond)							\
	do {								\
		if (!CHECK(cond))					\
			test_abort();					\
	} while (0)
#define NEED_EQ(got, want)						\
	do {								\
		if (!CHECK_EQ(got, want))				\
			test_abort();					\
	} while (0)

/* Repeatable random numbers of the tests, apart from the code's own. */
u32 test_random(u32 below);
void test_random_bytes(void *buf, size_t len);

/* "0a0b" to bytes; returns how many. */
size_t test_unhex(const char *hex, u8 *out, size_t max);

#endif /* _SHIM_TEST_H */

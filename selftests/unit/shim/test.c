// SPDX-License-Identifier: GPL-2.0
/* Run the cases of a program, say TAP. */
#include <stdarg.h>
#include <stdlib.h>
#include <linux/rcupdate.h>
#include <shim/test.h>

static struct test_case *first, **last = &first;
static unsigned int failures;
static jmp_buf abort_to;
static u32 random_state;

void test_register(struct test_case *test)
{
	*last = test;
	last = &test->next;
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	failures++;
	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void test_abort(void)
{
	longjmp(abort_to, 1);
}

u32 test_random(u32 below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return below ? random_state % below : random_state;
}

void test_random_bytes(void *buf, size_t len)
{
	u8 *p = buf;

	while (len--)
		*p++ = test_random(256);
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

size_t test_unhex(const char *hex, u8 *out, size_t max)
{
	size_t n = 0;

	while (*hex) {
		if (*hex == ' ') {
			hex++;
			continue;
		}
		if (n == max || nibble(hex[0]) < 0 || nibble(hex[1]) < 0)
			abort();
		out[n++] = nibble(hex[0]) << 4 | nibble(hex[1]);
		hex += 2;
	}
	return n;
}

static void check_clean(long allocs, long tfms)
{
	if (shim_live_allocs != allocs)
		test_fail(__FILE__, __LINE__, "%ld allocations leaked",
			  shim_live_allocs - allocs);
	if (shim_live_tfms != tfms)
		test_fail(__FILE__, __LINE__, "%ld transforms leaked",
			  shim_live_tfms - tfms);
	if (shim_spin_depth || shim_mutex_depth || shim_rcu_depth)
		test_fail(__FILE__, __LINE__, "locks held: %d %d %d",
			  shim_spin_depth, shim_mutex_depth, shim_rcu_depth);
	if (shim_random_left())
		test_fail(__FILE__, __LINE__, "chosen random bytes left over");
}

/* Returns whether the case passed. */
static bool run_one(struct test_case *test)
{
	long allocs, tfms;

	shim_reset();
	failures = 0;
	random_state = 0x9e3779b9;
	allocs = shim_live_allocs;
	tfms = shim_live_tfms;
	if (!setjmp(abort_to)) {
		test->run();
		shim_rcu_run();
		check_clean(allocs, tfms);
	}
	return !failures && !shim_bugs();
}

int main(int argc, char **argv)
{
	unsigned int n = 0, total = 0, failed = 0;
	struct test_case *test;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (test = first; test; test = test->next)
		if (argc < 2 || strstr(test->name, argv[1]))
			total++;
	printf("TAP version 13\n1..%u\n", total);
	for (test = first; test; test = test->next) {
		bool ok;

		if (argc >= 2 && !strstr(test->name, argv[1]))
			continue;
		ok = run_one(test);
		failed += !ok;
		printf("%sok %u %s\n", ok ? "" : "not ", ++n, test->name);
	}
	return failed || !total;
}

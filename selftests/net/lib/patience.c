// SPDX-License-Identifier: GPL-2.0
/*
 * Time limits of tests, longer where the guest is slow by design: run.sh sets
 * NST_TIMES in the environment (its -x). The kselftest harness gives each test
 * 30 seconds by alarm(), and has no option for that; so the linker sends its
 * calls here (--wrap).
 */
#include <stdlib.h>

#include "nsttest.h"

unsigned int __real_alarm(unsigned int seconds);
unsigned int __wrap_alarm(unsigned int seconds);

int nsttest_patience(int seconds)
{
	const char *text = getenv("NST_TIMES");
	int times = text ? atoi(text) : 1;

	return times > 1 ? seconds * times : seconds;
}

unsigned int __wrap_alarm(unsigned int seconds)
{
	return __real_alarm(nsttest_patience(seconds));
}

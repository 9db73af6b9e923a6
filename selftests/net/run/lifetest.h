/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each test of the notify engine as a process begins with: a box, and a run of
 * nst-run with what was heard of it.
 */
#ifndef LIFETEST_H
#define LIFETEST_H

#include <unistd.h>

#include "nsttest.h"
#include "undertest.h"

#define OPTIONS		"--engine notify --tcp 7100"

FIXTURE(life) {
	struct under under;
	char said[8192], line[256];
	int listener;
};

FIXTURE_SETUP(life)
{
	ASSERT_EQ(0, under_box());
	self->listener = -1;
}

FIXTURE_TEARDOWN(life)
{
	close(self->listener);
}

#define RUN(role)	under_run(OPTIONS, role, self->said, sizeof(self->said))
#define END()		under_end(&self->under, self->said, sizeof(self->said))
#define START(role)	ASSERT_EQ(0, under_start(&self->under, 0, OPTIONS, role))
#define LINE()		ASSERT_EQ(0, under_line(&self->under, self->line, \
						sizeof(self->line)))

#endif /* LIFETEST_H */

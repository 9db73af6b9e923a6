// SPDX-License-Identifier: GPL-2.0
/*
 * An exchange of keys through someone in the path (exchpath.h), over each byte.
 */
#include <fcntl.h>

#include "exchpath.h"
#include "kselftest_harness.h"

static int at_every(enum exchpath_act what, int dir, int every, int may)
{
	struct exchpath conf = { .dir = dir, .every = every, .may = may };

	return exchpath_all(what, &conf);
}

FIXTURE(path) {
};

FIXTURE_VARIANT(path) {
	int dir;
};

FIXTURE_VARIANT_ADD(path, first_message) { .dir = 0 };
FIXTURE_VARIANT_ADD(path, second_message) { .dir = 1 };

FIXTURE_SETUP(path)
{
}

FIXTURE_TEARDOWN(path)
{
}

TEST_F_TIMEOUT(path, each_byte_flipped, 200)
{
	EXPECT_EQ(1, at_every(FLIP, variant->dir, 1, 0));
}

TEST_F(path, cut)
{
	EXPECT_EQ(1, at_every(CUT, variant->dir, 5, 0));
}

TEST_F(path, kept)
{
	EXPECT_EQ(1, at_every(KEEP, variant->dir, 25, 0));
}

/* What is repeated or sent back behind the last message may come too late. */
TEST_F(path, repeated)
{
	EXPECT_EQ(1, at_every(REPEAT, variant->dir, 25, 1));
}

TEST_F(path, sent_back)
{
	EXPECT_EQ(1, at_every(REFLECT, variant->dir, 25, 1));
}

TEST(slow)
{
	EXPECT_EQ(1, at_every(DRIBBLE, 0, 1, 0));
}

TEST_HARNESS_MAIN

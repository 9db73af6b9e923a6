// SPDX-License-Identifier: GPL-2.0
/* stats.c: every counter has a name, every cause the protocol's errno. */
#include <shim/test.h>
#include "stats.h"

TEST(nst_stats_name__each_has_one_of_its_own)
{
	unsigned int i, k;

	for (i = 1; i < NST_MIB_MAX; i++) {
		NEED(nst_stats_name(i));
		CHECK(!strncmp(nst_stats_name(i), "Nst", 3));
		for (k = 1; k < i; k++)
			CHECK(strcmp(nst_stats_name(i), nst_stats_name(k)));
	}
}

TEST(nst_drop_errno__table_of_the_protocol)
{
	static const struct {
		enum nst_drop drop;
		int err;
	} want[] = {
		{ NST_OK, 0 },
		{ NST_DROP_FOREIGN, EPROTO },
		{ NST_DROP_HDR_MAGIC, EPROTO },
		{ NST_DROP_HDR_VERSION, EPROTO },
		{ NST_DROP_HDR_SUITE, EPROTO },
		{ NST_DROP_HDR_RESERVED, EPROTO },
		{ NST_DROP_HDR_ROLES, EPROTO },
		{ NST_DROP_HDR_KPOS, EPROTO },
		{ NST_DROP_HDR_KVAL, EPROTO },
		{ NST_DROP_HDR_KID, EPROTO },
		{ NST_DROP_HDR_TYPE, EPROTO },
		{ NST_DROP_HDR_BODY, EPROTO },
		{ NST_DROP_HDR_START, EPROTO },
		{ NST_DROP_HDR_DGRAM, EPROTO },
		{ NST_DROP_START_MISSING, EPROTO },
		{ NST_DROP_START_REPEATED, EPROTO },
		{ NST_DROP_NONCE, EPROTO },
		{ NST_DROP_AFTER_CLOSE, EPROTO },
		{ NST_DROP_UNBOUND, EPROTO },
		{ NST_DROP_EARLY_BOUND, EPROTO },
		{ NST_DROP_ROLE, EKEYREJECTED },
		{ NST_DROP_POLICY_SUITE, EACCES },
		{ NST_DROP_POLICY_KID, EACCES },
		{ NST_DROP_NO_SUITE, ENOPKG },
		{ NST_DROP_NO_KID, ENOKEY },
		{ NST_DROP_KID_RETIRED, EKEYREVOKED },
		{ NST_DROP_EPOCH_LIMIT, EKEYEXPIRED },
		{ NST_DROP_REFLECTED, EKEYREJECTED },
		{ NST_DROP_TIME_PAST, ESTALE },
		{ NST_DROP_TIME_FUTURE, ESTALE },
		{ NST_DROP_CACHE_AGE, ESTALE },
		{ NST_DROP_CACHE_FLOOR, ESTALE },
		/* Of datagrams; their senders are told nothing. */
		{ NST_DROP_DGRAM_LEN, EPROTO },
		{ NST_DROP_NO_KEY, ENOKEY },
		{ NST_DROP_WINDOW, ESTALE },
		{ NST_DROP_SESSION_QUEUE, ENOBUFS },
		{ NST_DROP_RCVBUF, ENOBUFS },
		{ NST_DROP_GONE, ENOBUFS },
		{ NST_DROP_SESSION_FULL, ENOBUFS },
		{ NST_DROP_OWNER_FULL, ENOBUFS },
		{ NST_DROP_TOTAL_FULL, ENOBUFS },
		{ NST_DROP_AUTH, EBADMSG },
		{ NST_DROP_PADDING, EBADMSG },
		{ NST_DROP_REPLAYED, EKEYREJECTED },
		{ NST_DROP_UNREAD, EPIPE },
		{ NST_DROP_TRUNCATED, ECONNABORTED },
		{ NST_DROP_NOMEM, ENOMEM },
	};
	unsigned int i;

	CHECK_EQ(ARRAY_SIZE(want), NST_DROP_MAX);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		CHECK_EQ(nst_drop_errno(want[i].drop), -want[i].err);
}

TEST(nst_stats_sum__counts_each_by_itself)
{
	struct nst_stats *stats = alloc_percpu(struct nst_stats);
	unsigned int i;

	for (i = 1; i < NST_MIB_MAX; i++) {
		nst_stats_inc(stats, i);
		nst_stats_add(stats, i, i);
	}
	for (i = 1; i < NST_MIB_MAX; i++)
		CHECK_EQ(nst_stats_sum(stats, i), i + 1);
	nst_stats_add(stats, NST_MIB_SOCKETS, -1);
	CHECK_EQ(nst_stats_sum(stats, NST_MIB_SOCKETS), NST_MIB_SOCKETS);
	free_percpu(stats);
}

// SPDX-License-Identifier: GPL-2.0
/* debug/contract.c: does it scream at the second use, and at that only? */
#include <linux/kernel.h>
#include <shim/test.h>

/* Its warnings are what is tested, and fail nothing here. */
static int screams;

#undef WARN
#define WARN(c, ...)							\
do {									\
	if (c)								\
		screams++;						\
} while (0)
#define NST_DEBUG
#include "debug/contract.c"

static const u8 okm[3][32] = { { 1 }, { 2 }, { 3 } };

static struct nst_contract_key keyed(unsigned int nr)
{
	struct nst_contract_key key;

	nst_contract_key(&key, okm[nr], sizeof(okm[nr]));
	return key;
}

TEST(nst_contract_sealed__twice)
{
	struct nst_contract_key key = keyed(0), same = keyed(0);

	screams = 0;
	nst_contract_sealed(&key, 5, 9);
	CHECK_EQ(screams, 0);
	/* Another object with the same key material, as after a derivation. */
	nst_contract_sealed(&same, 5, 9);
	CHECK_EQ(screams, 1);
}

TEST(nst_contract_sealed__other_key_or_iv)
{
	struct nst_contract_key key = keyed(1), other = keyed(2);

	screams = 0;
	nst_contract_sealed(&key, 5, 9);
	nst_contract_sealed(&key, 5, 10);
	nst_contract_sealed(&key, 6, 9);
	nst_contract_sealed(&other, 5, 9);
	CHECK_EQ(screams, 0);
}

TEST(nst_contract_taken__once_for_each_receiver)
{
	struct nst_contract_key key = keyed(0);
	int a, b;

	screams = 0;
	nst_contract_taken(&key, &a, 1, 2);
	nst_contract_taken(&key, &b, 1, 2);
	nst_contract_taken(&key, &a, 1, 3);
	CHECK_EQ(screams, 0);
	nst_contract_taken(&key, &a, 1, 2);
	CHECK_EQ(screams, 1);
}

TEST(nst_contract_taken__of_thousands_the_last)
{
	struct nst_contract_key key = keyed(1);
	u64 i;

	screams = 0;
	for (i = 0; i < 8 * BUCKETS; i++)
		nst_contract_taken(&key, NULL, 7, i);
	CHECK_EQ(screams, 0);
	nst_contract_taken(&key, NULL, 7, i - 1);
	CHECK_EQ(screams, 1);
}

TEST(nst_contract_unmoved__only_by_what_is_authentic)
{
	struct nst_contract_state state = {};
	u64 now = 1;

	screams = 0;
	/* Nothing was taken yet. */
	nst_contract_unmoved(&state, &now, sizeof(now));
	nst_contract_moved(&state, &now, sizeof(now));
	nst_contract_unmoved(&state, &now, sizeof(now));
	CHECK_EQ(screams, 0);
	now++;
	nst_contract_unmoved(&state, &now, sizeof(now));
	CHECK_EQ(screams, 1);
}

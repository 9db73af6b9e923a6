/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All vectors, both directions, as TAP. The same code runs on the host and in
 * a kernel; what differs between the two is behind the vec_env_*() calls.
 */
#ifndef _VECTORS_VECTEST_H
#define _VECTORS_VECTEST_H

#include <linux/types.h>

/* One record by itself; s_peer NULL: not BOUND. */
struct vec_record {
	u8 suite;
	u8 proto;
	const u8 *secret;
	const u8 *s_own;
	const u8 *s_peer;
	const u8 *context;
	unsigned int context_len;
	const u8 *okm;
	unsigned int okm_len;
	const u8 *aad;
	unsigned int aad_len;
	const u8 *plaintext;
	unsigned int plaintext_len;
	const u8 *record;
	unsigned int record_len;
};

struct vec_key {
	u16 kid;
	const u8 *secret;
};

/* One record of a connection, sent and received at once. */
struct vec_step {
	bool from_a;
	u8 type;
	const u8 *plaintext;
	unsigned int plaintext_len;
	const u8 *record;
	unsigned int record_len;
};

struct vec_stream {
	u8 suite;
	bool strict;
	const u8 *context;
	unsigned int context_len;
	u32 role_a;
	u32 role_b;
	const struct vec_key *key;
	unsigned int nr_keys;
	const struct vec_step *step;
	unsigned int nr_steps;
};

/* Returns how many test cases failed. */
unsigned int vec_run(void);

/* Given by whoever runs them. */
__printf(1, 2) void vec_env_print(const char *format, ...);
/* What the streams' ktime_get_real_ns() says from now on. */
void vec_env_clock(u64 real_ns);
/* What the streams' get_random_bytes() gives next. */
void vec_env_random(const void *bytes, size_t len);

#endif /* _VECTORS_VECTEST_H */

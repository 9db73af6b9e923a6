/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the protocol says of memories, in its own words: lists that are searched
 * from end to end, and no owner who runs out of memory.
 */
#ifndef _UNIT_MODEL_H
#define _UNIT_MODEL_H

#include "core/memories.h"

#define SECRETS	6
#define USERS	3
#define LEFT	3	/* floors that an owner keeps */
#define KNOWN	64	/* STARTs */
#define SESSIONS 16
#define TAKEN	4096	/* datagrams of a session */

struct start {
	u64 timestamp;
	u64 nonce;
};

/* A datagram, under one secret. */
struct piece {
	u64 timestamp;
	u64 nonce;
	u16 epoch;
};

struct session {
	u16 epoch;
	u32 upper;
	u64 floor;
	u64 newest;
	u64 top;
	u64 taken[TAKEN];
	unsigned int nr;
};

/* What the protocol says about one secret. */
struct secret {
	bool made;
	struct start known[KNOWN];
	unsigned int nr;
	u64 floor;
	struct session ses[SESSIONS];
	unsigned int nr_ses;
	u64 ses_floor;
	unsigned int boxes[USERS];
	bool held[USERS];	/* in the life of the memory */
	u64 unheld;
	bool has_left[USERS];
	u64 left;
};

/* One namespace. */
struct model {
	struct secret secret[SECRETS];
	u64 given_up[USERS];
	u64 born;
};

extern struct nst_now now;
extern struct nst_bounds bounds;

unsigned int boxes_of(const struct secret *s);
void model_expire(struct model *m);
u64 model_floor(const struct model *m, unsigned int n, unsigned int user);
enum nst_drop model_judge(const struct model *m, unsigned int n,
			  unsigned int user, u64 timestamp);
enum nst_drop model_take(struct model *m, unsigned int n, unsigned int user,
			 const struct start *start);
struct session *model_session(struct secret *s, const struct piece *piece);
enum nst_drop model_judge_dgram(struct model *m, unsigned int n,
				unsigned int user, const struct piece *piece);
enum nst_drop model_new_session(struct model *m, unsigned int n,
				unsigned int user, const struct piece *piece);
void model_take_dgram(struct model *m, unsigned int n,
		      const struct piece *piece);

#endif /* _UNIT_MODEL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The attacker on the path of a connection: has both of its halves, sees where each
 * record begins, and passes on what he likes. What he has seen he keeps.
 */
#ifndef PATH_PROXY_H
#define PATH_PROXY_H

#include "pathtest.h"

enum proxy_deed {
	DEED_NOTHING,	/* but pieces of any size */
	DEED_HOLD,	/* a record waits for all that the other end sends */
	DEED_KIND,	/* the last one that harms nobody */
	DEED_FLIP = DEED_KIND,
	DEED_TYPE,	/* says that it is a close record */
	DEED_SHORTEN,
	DEED_DROP,
	DEED_TWICE,
	DEED_SWAP,
	DEED_GARBAGE,
	DEED_CUT_INSIDE,	/* FIN in the middle of a record */
	DEED_CUT_BEHIND,	/* or between two */
	DEED_RESET,
	DEED_REPLAY_ONE,	/* a record of an earlier connection */
	DEED_REPLAY_ALL,	/* such a connection from its beginning */
	DEED_SPLICE,		/* the rest of one */
	DEED_CLOSE,		/* its last record, early */
	DEED_REFLECT,		/* an end gets what it has sent */
	DEED_BEHIND_CLOSE,	/* something follows the last record */
	DEED_NR
};

extern const char *const proxy_deeds[DEED_NR];

#define PROXY_SEEN	32768	/* bytes that are kept of a direction */
#define PROXY_RECS	64	/* and records */

struct proxy_seen {
	uint8_t bytes[PROXY_SEEN];
	uint32_t at[PROXY_RECS + 1];
	unsigned int nr;
	unsigned int stream;	/* whose it was */
};

struct proxy_way {
	int from;
	int to;
	uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
	size_t sent;		/* bytes of all that were passed on */
	unsigned int nr;	/* records so far */
	bool eof;		/* nothing more comes */
	bool cut;		/* nothing more is passed on */
	bool shut;		/* and that was said */
	struct proxy_seen seen;
};

struct proxy {
	enum proxy_deed deed;
	unsigned int way;	/* which one suffers it */
	unsigned int nr;	/* at which record */
	bool done;
	bool has_old;		/* he sends a recorded stream instead */
	unsigned int old_stream;
	struct path_random r;
	struct proxy_way ways[2];
};

/* @streams: number of what the first end sends; the other's is the next one. */
struct proxy *proxy_new(enum proxy_deed deed, struct path_random r,
			unsigned int streams);
/* @a, @b: the halves; their descriptors are the proxy's from now on. */
void proxy_join(struct proxy *p, int a, int b);
void proxy_free(struct proxy *p);

/* What poll() is to wait for at the half that way @nr reads; -1: not at all. */
short proxy_events(const struct proxy *p, int nr);

/* Moves what can be moved. */
void proxy_step(struct proxy *p);

/* Keeps what was seen. */
void proxy_remember(const struct proxy *p);

#endif /* PATH_PROXY_H */

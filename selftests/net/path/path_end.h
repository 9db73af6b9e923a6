/* SPDX-License-Identifier: GPL-2.0 */
/* A program at the end of a connection that somebody else has the path of. */
#ifndef PATH_END_H
#define PATH_END_H

#include "pathtest.h"

struct end {
	int fd;
	struct path_random r;
	size_t len;		/* what it will send */
	size_t base;		/* place of its first byte in the pattern */
	size_t from;		/* the same of what it is to be given */
	size_t other;		/* or of a recorded stream that may come instead */
	bool foreign;		/* that one came */
	size_t sent;
	size_t got;
	bool shut;
	bool ended;		/* it was told of the end */
	int err;		/* or why nothing comes any more */
	int tx_err;
	int wrong;		/* it was given what its peer has not sent */
	bool closed;
	struct nst_info info;	/* as it was then */
};

#define END_NO_OTHER	SIZE_MAX

/* Streams have numbers, and bytes that no other has in their place. */
void end_init(struct end *e, int fd, struct path_random r, unsigned int stream,
	      unsigned int peers);
void end_may_get(struct end *e, unsigned int stream);
short end_events(const struct end *e);
/* Moves what can be moved; closes the socket when nothing can be any more. */
void end_step(struct end *e);
void end_tell(const struct end *e);

/* What sockets say, or their namespace. */
struct tally {
	uint64_t causes[NST_DROP_MAX];
	uint64_t tx_bytes;
	uint64_t tx_records;
	uint64_t rx_bytes;
	uint64_t rx_records;
	uint64_t failed;
};

void tally_end(struct tally *t, const struct end *e);
/* But for the causes. */
void tally_read(struct tally *t);

#endif /* PATH_END_H */

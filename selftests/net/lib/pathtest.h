/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests share that let streams pass between two namespaces whose path does
 * what paths do: a seed that is told, so that what has failed can be played again;
 * a box in each namespace; connections; and a watchdog that tells where a stream
 * stands still.
 *
 * Functions return 0 or -errno unless they say otherwise.
 */
#ifndef PATHTEST_H
#define PATHTEST_H

#include "nltalk.h"
#include "vethtest.h"

/*
 * Numbers that look random, and are the same for the same seed. The seed comes from
 * NST_SEED in the environment, else from the kernel, and is printed.
 */
struct path_random {
	uint64_t state;
};

void path_seed(struct path_random *r);
/* How many, if the program's argument or NST_NUMBER in the environment says so. */
void path_number(unsigned int *number, int argc, char **argv);
uint64_t path_random(struct path_random *r);
/* One of @from..@to */
unsigned int path_range(struct path_random *r, unsigned int from, unsigned int to);
/* true once in @n */
bool path_once_in(struct path_random *r, unsigned int n);
/* Another row of numbers, that depends on nothing but @r's seed and @nr. */
struct path_random path_fork(const struct path_random *r, uint64_t nr);

#define PATH_KIDS	2	/* of the boxes: 1, active at first, and 2 */

struct path {
	struct veth v;
	struct talk t[2];	/* netlink, in each namespace */
};

/* Two namespaces, joined as @conf has it, with the same box. */
int path_open(struct path *p, const struct veth_conf *conf);
void path_close(struct path *p);

/* Both begin to send under @kid. */
int path_activate(struct path *p, uint16_t kid);

/* The path loses, doubles and reorders nothing any more. */
int path_heal(const struct path *p);

struct path_conf {
	uint8_t cipher_id;
	int family;
	bool strict;
	bool late;		/* NST comes when the connection stands already */
	int rcvbuf;		/* of both ends, 0: TCP's own */
	int sndbuf;
};

/* A connection with keys of the boxes, from namespace 0 to 1. */
int path_connect(const struct path *p, const struct path_conf *conf, int *a,
		 int *b);

/* NST and the box's keys for a socket that is there. */
int path_key(int fd, const struct path_conf *conf, uint32_t role);

/*
 * Tells on stderr what is known of both namespaces and this process: stacks of
 * its threads, ss, counters.
 */
void path_tell(const struct path *p);

#endif /* PATHTEST_H */

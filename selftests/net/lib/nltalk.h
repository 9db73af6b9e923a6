/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Talking to the netlink family "nst" without a library, so that a test can
 * say what no correct program would.
 */
#ifndef NLTALK_H
#define NLTALK_H

#include <linux/netlink.h>
#include <linux/nst_netlink.h>
#include <stddef.h>
#include <stdint.h>

/* A request in the making, and what came back. */
struct talk {
	int fd;
	uint16_t family;
	uint32_t seq;
	struct nlmsghdr *req;
	char *buf;
	int len;		/* of the last answer, in @buf */
	uint32_t events;	/* number of the multicast group */
	char message[256];	/* the kernel's words about it */
};

/* A socket that knows the family; 0, or -1 if there is none. */
int nl_open(struct talk *t);
void nl_close(struct talk *t);

/* The request: a header, then attributes. */
void nl_begin(struct talk *t, uint16_t type, uint8_t cmd, uint16_t flags);
struct nlattr *nl_put(struct talk *t, uint16_t type, const void *data,
		      size_t len);
void nl_put_u16(struct talk *t, uint16_t type, uint16_t value);
void nl_put_u32(struct talk *t, uint16_t type, uint32_t value);

/* A key whose secret is NST_KEY_SIZE times @fill; in a nest for a box. */
void nl_put_key(struct talk *t, uint16_t kid, uint32_t state, uint8_t fill);
void nl_put_nest(struct talk *t, uint16_t kid, uint32_t state, uint8_t fill);

/* Sends the request; the kernel's errno, or 0. Answers are left in @buf. */
int nl_talk(struct talk *t);

/* A request without attributes, or with the one that a key's number is. */
int nl_simple(struct talk *t, uint8_t cmd, uint16_t flags);
int nl_kid(struct talk *t, uint8_t cmd, uint16_t kid);

/* The attribute @type of the message @nlh; NULL if it has none. */
const void *nl_find(const struct nlmsghdr *nlh, uint16_t type);

/* Receives events from now on; one of them, or NULL after @ms. */
int nl_subscribe(struct talk *t);
const struct nlmsghdr *nl_event(struct talk *t, int ms);

#endif /* NLTALK_H */

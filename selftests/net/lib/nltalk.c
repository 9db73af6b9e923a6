// SPDX-License-Identifier: GPL-2.0
/* Talking to the netlink family without a library. See nltalk.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nst.h>
#include <linux/nst_netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "nltalk.h"

#define MESSAGE_MAX	131072

void nl_begin(struct talk *t, uint16_t type, uint8_t cmd, uint16_t flags)
{
	struct genlmsghdr *genl;

	memset(t->req, 0, NLMSG_LENGTH(GENL_HDRLEN));
	t->req->nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	t->req->nlmsg_type = type;
	t->req->nlmsg_flags = NLM_F_REQUEST | flags;
	t->req->nlmsg_seq = ++t->seq;
	genl = NLMSG_DATA(t->req);
	genl->cmd = cmd;
	genl->version = 1;
}

struct nlattr *nl_put(struct talk *t, uint16_t type, const void *data,
		      size_t len)
{
	struct nlattr *attr = (void *)((char *)t->req +
				       NLMSG_ALIGN(t->req->nlmsg_len));

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memset((char *)attr + NLA_HDRLEN, 0, NLA_ALIGN(len));
	if (len)
		memcpy((char *)attr + NLA_HDRLEN, data, len);
	t->req->nlmsg_len = NLMSG_ALIGN(t->req->nlmsg_len) +
			    NLA_ALIGN(attr->nla_len);
	return attr;
}

void nl_put_u16(struct talk *t, uint16_t type, uint16_t value)
{
	nl_put(t, type, &value, sizeof(value));
}

void nl_put_u32(struct talk *t, uint16_t type, uint32_t value)
{
	nl_put(t, type, &value, sizeof(value));
}

void nl_put_key(struct talk *t, uint16_t kid, uint32_t state, uint8_t fill)
{
	uint8_t secret[NST_KEY_SIZE];

	memset(secret, fill, sizeof(secret));
	nl_put_u16(t, NST_A_KEY_KID, kid);
	nl_put_u32(t, NST_A_KEY_STATE, state);
	nl_put(t, NST_A_KEY_SECRET, secret, sizeof(secret));
}

void nl_put_nest(struct talk *t, uint16_t kid, uint32_t state, uint8_t fill)
{
	struct nlattr *nest = nl_put(t, NST_A_BOX_KEY | NLA_F_NESTED, NULL, 0);

	nl_put_key(t, kid, state, fill);
	nest->nla_len = (char *)t->req + t->req->nlmsg_len - (char *)nest;
}

/* The words in an error or acknowledgment; @echoed: bytes of the request. */
static void take_words(struct talk *t, struct nlmsghdr *nlh, int echoed)
{
	int at = NLMSG_LENGTH(sizeof(struct nlmsgerr)) + NLMSG_ALIGN(echoed);

	t->message[0] = 0;
	while (nlh->nlmsg_flags & NLM_F_ACK_TLVS &&
	       at + NLA_HDRLEN <= (int)nlh->nlmsg_len) {
		struct nlattr *attr = (void *)((char *)nlh + at);

		if (attr->nla_len < NLA_HDRLEN)
			break;
		if ((attr->nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG)
			snprintf(t->message, sizeof(t->message), "%s",
				 (char *)attr + NLA_HDRLEN);
		at += NLA_ALIGN(attr->nla_len);
	}
}

/* Sends the request; the kernel's errno, or 0. Answers are left in @buf. */
int nl_talk(struct talk *t)
{
	struct nlmsghdr *nlh = (void *)t->buf;
	struct nlmsgerr *err;
	int more = 1, len, echoed, result = 0;

	if (send(t->fd, t->req, t->req->nlmsg_len, 0) < 0)
		return errno;
	for (t->len = 0; more; t->len += len) {
		nlh = (void *)(t->buf + t->len);
		len = recv(t->fd, nlh, MESSAGE_MAX - t->len, 0);
		if (len <= 0)
			return errno ? errno : EIO;
		for (int rest = len; NLMSG_OK(nlh, rest);
		     nlh = NLMSG_NEXT(nlh, rest)) {
			if (nlh->nlmsg_type == NLMSG_DONE)
				more = 0;
			if (nlh->nlmsg_type != NLMSG_ERROR)
				continue;
			more = 0;
			err = NLMSG_DATA(nlh);
			result = -err->error;
			echoed = err->error ?
				err->msg.nlmsg_len - sizeof(err->msg) : 0;
			take_words(t, nlh, echoed);
		}
	}
	return result;
}

/* The attribute @type among those from @attr on. */
static const struct nlattr *find(const struct nlattr *attr, int rest,
				 uint16_t type)
{
	while (rest >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN) {
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		rest -= NLA_ALIGN(attr->nla_len);
		attr = (void *)((char *)attr + NLA_ALIGN(attr->nla_len));
	}
	return NULL;
}

const void *nl_find(const struct nlmsghdr *nlh, uint16_t type)
{
	const int head = NLMSG_LENGTH(GENL_HDRLEN);
	const struct nlattr *attr = find((void *)((char *)nlh + head),
					 nlh->nlmsg_len - head, type);

	return attr ? (char *)attr + NLA_HDRLEN : NULL;
}

/* What is nested in the nest whose content is @nest. */
static const void *find_nested(const void *nest, uint16_t type)
{
	const struct nlattr *outer = (void *)((char *)nest - NLA_HDRLEN);
	const struct nlattr *attr = find(nest, outer->nla_len - NLA_HDRLEN,
					 type);

	return attr ? (char *)attr + NLA_HDRLEN : NULL;
}

int nl_open(struct talk *t)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	const void *family, *groups;
	int one = 1;

	t->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	t->req = calloc(1, MESSAGE_MAX);
	t->buf = calloc(1, MESSAGE_MAX);
	t->seq = 0;
	if (t->fd < 0 || !t->req || !t->buf ||
	    bind(t->fd, (void *)&addr, sizeof(addr)) ||
	    setsockopt(t->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)))
		return -1;
	nl_begin(t, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	nl_put(t, CTRL_ATTR_FAMILY_NAME, "nst", 4);
	if (nl_talk(t))
		return -1;
	family = nl_find((void *)t->buf, CTRL_ATTR_FAMILY_ID);
	groups = nl_find((void *)t->buf, CTRL_ATTR_MCAST_GROUPS);
	if (!family || !groups)
		return -1;
	memcpy(&t->family, family, sizeof(t->family));
	/* The family has one group: the first in the list. */
	groups = find_nested((char *)groups + NLA_HDRLEN,
			     CTRL_ATTR_MCAST_GRP_ID);
	if (!groups)
		return -1;
	memcpy(&t->events, groups, sizeof(t->events));
	return 0;
}

void nl_close(struct talk *t)
{
	close(t->fd);
	free(t->req);
	free(t->buf);
}

int nl_simple(struct talk *t, uint8_t cmd, uint16_t flags)
{
	nl_begin(t, t->family, cmd, flags);
	return nl_talk(t);
}

int nl_kid(struct talk *t, uint8_t cmd, uint16_t kid)
{
	nl_begin(t, t->family, cmd, NLM_F_ACK);
	nl_put_u16(t, NST_A_KEY_KID, kid);
	return nl_talk(t);
}

int nl_subscribe(struct talk *t)
{
	return setsockopt(t->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			  &t->events, sizeof(t->events));
}

const struct nlmsghdr *nl_event(struct talk *t, int ms)
{
	struct pollfd pfd = { .fd = t->fd, .events = POLLIN };
	const struct nlmsghdr *nlh = (void *)t->buf;

	if (poll(&pfd, 1, ms) != 1)
		return NULL;
	t->len = recv(t->fd, t->buf, MESSAGE_MAX, 0);
	return NLMSG_OK(nlh, t->len) && nlh->nlmsg_type == t->family ?
		nlh : NULL;
}

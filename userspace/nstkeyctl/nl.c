// SPDX-License-Identifier: GPL-2.0
/* Talking to the kernel's netlink family "nst". */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "nl.h"

#define ANSWER_SIZE	32768	/* the kernel's largest part of a dump */

/* What one message of an answer means for the conversation. */
enum step { STEP_MORE, STEP_DONE };

/* Where attributes of a message or nest go. */
struct table {
	const struct nlattr **tb;
	unsigned int max;
};

static int table_put(const struct nlattr *attr, void *data)
{
	const struct table *table = data;
	unsigned int type = mnl_attr_get_type(attr);

	/* What a newer kernel says in addition is left out. */
	if (type <= table->max)
		table->tb[type] = attr;
	return MNL_CB_OK;
}

/**
 * nl_parse() - attributes of a message
 * @nlh: the message
 * @tb: receives them, by number; NULL: absent
 * @max: largest number
 */
void nl_parse(const struct nlmsghdr *nlh, const struct nlattr **tb,
	      unsigned int max)
{
	struct table table = { tb, max };

	memset(tb, 0, (max + 1) * sizeof(*tb));
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), table_put, &table);
}

/**
 * nl_parse_nest() - attributes in an attribute
 * @nest: it
 * @tb: receives them, by number; NULL: absent
 * @max: largest number
 */
void nl_parse_nest(const struct nlattr *nest, const struct nlattr **tb,
		   unsigned int max)
{
	struct table table = { tb, max };

	memset(tb, 0, (max + 1) * sizeof(*tb));
	mnl_attr_parse_nested(nest, table_put, &table);
}

/* Values of attributes; 0 or empty if absent or malformed. */
uint8_t nl_u8(const struct nlattr *attr)
{
	return attr && !mnl_attr_validate(attr, MNL_TYPE_U8) ?
		mnl_attr_get_u8(attr) : 0;
}

uint16_t nl_u16(const struct nlattr *attr)
{
	return attr && !mnl_attr_validate(attr, MNL_TYPE_U16) ?
		mnl_attr_get_u16(attr) : 0;
}

uint32_t nl_u32(const struct nlattr *attr)
{
	return attr && !mnl_attr_validate(attr, MNL_TYPE_U32) ?
		mnl_attr_get_u32(attr) : 0;
}

uint64_t nl_u64(const struct nlattr *attr)
{
	return attr && !mnl_attr_validate(attr, MNL_TYPE_U64) ?
		mnl_attr_get_u64(attr) : 0;
}

const char *nl_string(const struct nlattr *attr)
{
	return attr && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) ?
		mnl_attr_get_str(attr) : "";
}

/**
 * nl_request() - begin a request
 * @nl: the conversation
 * @buf: room for it
 * @cmd: enum nst_cmd
 * @flags: NLM_F_ACK or NLM_F_DUMP
 *
 * Return: the message, to which attributes may be added.
 */
struct nlmsghdr *nl_request(struct nl *nl, void *buf, uint8_t cmd,
			    uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = nl->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = NST_GENL_VERSION;
	return nlh;
}

/* The text that the kernel adds to an error, or to success as a warning. */
static void take_message(struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	unsigned int offset = sizeof(*err);
	const struct nlattr *attr;

	nl->message[0] = 0;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(&err->msg);
	mnl_attr_for_each(attr, nlh, offset) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(nl->message, sizeof(nl->message), "%s",
				 nl_string(attr));
	}
}

/* Takes one message. @err: receives the end's errno, negative. */
static enum step take(struct nl *nl, const struct nlmsghdr *nlh, nl_cb cb,
		      void *data, int *err, int *again)
{
	if (nlh->nlmsg_seq != nl->seq)
		return STEP_MORE;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		*again = 1;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		*err = ((struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
		take_message(nl, nlh);
		return STEP_DONE;
	}
	if (nlh->nlmsg_type == NLMSG_DONE) {
		*err = mnl_nlmsg_get_payload_len(nlh) >= sizeof(int) ?
			*(int *)mnl_nlmsg_get_payload(nlh) : 0;
		return STEP_DONE;
	}
	if (cb && nlh->nlmsg_type == nl->family)
		cb(nlh, data);
	return STEP_MORE;
}

static int receive(struct nl *nl, nl_cb cb, void *data, int *again)
{
	char *buf = malloc(ANSWER_SIZE);
	const struct nlmsghdr *nlh;
	enum step step = STEP_MORE;
	ssize_t n = 0;
	int len, err = 0;

	if (!buf)
		return -ENOMEM;
	while (step == STEP_MORE) {
		n = mnl_socket_recvfrom(nl->sock, buf, ANSWER_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len = n;
		nlh = (struct nlmsghdr *)buf;
		for (; step == STEP_MORE && mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len))
			step = take(nl, nlh, cb, data, &err, again);
	}
	if (step == STEP_MORE)
		err = n < 0 ? -errno : -EIO;
	free(buf);
	return err;
}

/**
 * nl_talk() - send a request and take its answer
 * @nl: the conversation
 * @request: from nl_request()
 * @cb: takes each message of the answer; NULL: only the end matters. In a dump
 *	it may be called for keys of a box that changes meanwhile: then the
 *	result is -EINTR
 * @data: for @cb
 *
 * Return: 0; the kernel's negative errno; -EINTR for an inconsistent dump.
 */
int nl_talk(struct nl *nl, struct nlmsghdr *request, nl_cb cb, void *data)
{
	int err, again = 0;

	nl->message[0] = 0;
	if (mnl_socket_sendto(nl->sock, request, request->nlmsg_len) < 0)
		return -errno;
	err = receive(nl, cb, data, &again);
	return err ? err : again ? -EINTR : 0;
}

/**
 * nl_simple() - a request without attributes
 * @nl: the conversation
 * @cmd: enum nst_cmd
 * @flags: NLM_F_ACK or NLM_F_DUMP
 * @cb: as in nl_talk()
 * @data: as in nl_talk()
 *
 * Return: as nl_talk().
 */
int nl_simple(struct nl *nl, uint8_t cmd, uint16_t flags, nl_cb cb, void *data)
{
	char buf[64] __attribute__((aligned(NLMSG_ALIGNTO)));

	return nl_talk(nl, nl_request(nl, buf, cmd, flags), cb, data);
}

static void take_groups(struct nl *nl, const struct nlattr *groups)
{
	const struct nlattr *tb[CTRL_ATTR_MCAST_GRP_MAX + 1], *group;

	mnl_attr_for_each_nested(group, groups) {
		nl_parse_nest(group, tb, CTRL_ATTR_MCAST_GRP_MAX);
		if (!strcmp(nl_string(tb[CTRL_ATTR_MCAST_GRP_NAME]),
			    NST_GENL_MCGRP_EVENTS))
			nl->events = nl_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
	}
}

static void take_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[CTRL_ATTR_MAX + 1];
	struct nl *nl = data;

	nl_parse(nlh, tb, CTRL_ATTR_MAX);
	nl->family = nl_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (tb[CTRL_ATTR_MCAST_GROUPS])
		take_groups(nl, tb[CTRL_ATTR_MCAST_GROUPS]);
}

/* Asks for the family's numbers, which also makes the kernel load the module. */
static int resolve(struct nl *nl)
{
	char buf[128] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh;

	nl->family = GENL_ID_CTRL;
	nlh = nl_request(nl, buf, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, NST_GENL_NAME);
	return nl_talk(nl, nlh, take_family, nl);
}

/**
 * nl_open() - begin a conversation
 * @nl: receives it
 *
 * Return: 0; -ENOENT if the kernel has no NST; another negative errno.
 */
int nl_open(struct nl *nl)
{
	int one = 1, size = 2 * NL_REQUEST_MAX, err;

	memset(nl, 0, sizeof(*nl));
	nl->sock = mnl_socket_open(NETLINK_GENERIC);
	if (!nl->sock)
		return -errno;
	/* Better messages, if the kernel can; without them it works too. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	(void)setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_SNDBUF,
			 &size, sizeof(size));
	err = mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0 ?
		-errno : resolve(nl);
	if (err)
		nl_close(nl);
	return err;
}

/**
 * nl_close() - end a conversation
 * @nl: from nl_open(), also if that failed
 */
void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

/**
 * nl_subscribe() - receive events from now on
 * @nl: the conversation, used for nothing else any more
 *
 * Return: 0 or a negative errno.
 */
int nl_subscribe(struct nl *nl)
{
	/* The only group of generic netlink itself has its number. */
	uint32_t families = GENL_ID_CTRL;

	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP,
				  &nl->events, sizeof(nl->events)) < 0 ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &families,
				  sizeof(families)) < 0)
		return -errno;
	return 0;
}

/*
 * A family that goes takes its listeners' membership with it. So who listens is
 * told, and listens to the one that comes. Return: 0; -ENODEV: it went; 1: it came.
 */
static int take_control(struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[CTRL_ATTR_MAX + 1];

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*genl))
		return 0;
	nl_parse(nlh, tb, CTRL_ATTR_MAX);
	if (strcmp(nl_string(tb[CTRL_ATTR_FAMILY_NAME]), NST_GENL_NAME))
		return 0;
	if (genl->cmd == CTRL_CMD_DELFAMILY) {
		nl->family = 0;
		return -ENODEV;
	}
	if (genl->cmd != CTRL_CMD_NEWFAMILY)
		return 0;
	take_family(nlh, nl);
	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP,
				  &nl->events, sizeof(nl->events)) < 0)
		return -errno;
	return 1;
}

/**
 * nl_listen() - wait for events
 * @nl: subscribed
 * @cb: takes each
 * @data: for @cb
 *
 * Return: 0; -ENOBUFS if some were lost; -ENODEV if the module was unloaded, 1 if
 * it was loaded again: it is listened to as before; another negative errno.
 */
int nl_listen(struct nl *nl, nl_cb cb, void *data)
{
	char buf[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	ssize_t n = mnl_socket_recvfrom(nl->sock, buf, sizeof(buf));
	int len = n, what = 0;

	if (n < 0)
		return -errno;
	for (; !what && mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		if (nlh->nlmsg_type == GENL_ID_CTRL)
			what = take_control(nl, nlh);
		else if (nlh->nlmsg_type == nl->family)
			cb(nlh, data);
	return what;
}

/* What an errno means here, where the kernel has said nothing itself. */
static const char *sentence(int err)
{
	switch (-err) {
	case EPERM:
		return "that needs CAP_NET_ADMIN in this network namespace: run it as root";
	case ENOENT:
		return "the kernel has no NST: 'modprobe nst_ulp', or see 'nstkeyctl doctor'";
	case EOPNOTSUPP:
		return "the module does not know this command: is it older than this tool?";
	case EINTR:
		return "the box kept changing: try again";
	case ENOMEM:
		return "the kernel is out of memory";
	}
	return strerror(-err);
}

/**
 * nl_explain() - say why something did not work
 * @nl: the conversation
 * @what: was to be done
 * @err: negative errno from nl_talk() or nl_open()
 *
 * Return: 1, the exit status.
 */
int nl_explain(const struct nl *nl, const char *what, int err)
{
	fprintf(stderr, "nstkeyctl: %s: %s\n", what,
		nl->message[0] ? nl->message : sentence(err));
	return 1;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: who has a socket on a guarded port, and with NST? What nst-run does not
 * cover, a program that was started without it, and another ULP's socket all show
 * so: the kernel's list of sockets (sock_diag(7)) has the ULP of each that listens
 * by TCP, and of UDP the cookie by which NST lists those that it has.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include "doctor.h"
#include "guard.h"

#define ULP_NAME	16

struct listeners {
	struct patient *patient;
	const struct guard_rules *rules;
	unsigned int found;
	uint64_t *cookies;	/* of UDP sockets that have NST */
	unsigned int nr;
	int err;
};

static int is_guarded(const struct guard_rules *rules, uint8_t protocol,
		      uint16_t port)
{
	unsigned int i;

	for (i = 0; i < rules->nr; i++)
		if (rules->rule[i].protocol == protocol &&
		    rules->rule[i].port == port)
			return 1;
	return 0;
}

static int take_name(const struct nlattr *attr, void *data)
{
	char *name = data;

	if (mnl_attr_get_type(attr) == INET_ULP_INFO_NAME &&
	    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		snprintf(name, ULP_NAME, "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int take_attr(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == INET_DIAG_ULP_INFO)
		mnl_attr_parse_nested(attr, take_name, data);
	return MNL_CB_OK;
}

static int take_listener(const struct nlmsghdr *nlh, void *data)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
	struct listeners *listeners = data;
	uint16_t port = ntohs(msg->id.idiag_sport);
	char ulp[ULP_NAME] = "";

	if (!is_guarded(listeners->rules, IPPROTO_TCP, port))
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(*msg), take_attr, ulp);
	if (!strcmp(ulp, "nst"))
		return MNL_CB_OK;
	listeners->found++;
	if (*ulp)
		report(listeners->patient, "listener", WARN,
		       "tcp %u is guarded, and user %u listens there with '%s' on the socket, which NST cannot join",
		       port, msg->idiag_uid, ulp);
	else
		report(listeners->patient, "listener", WARN,
		       "tcp %u is guarded, and user %u listens there without NST, so nobody is served: 'nst-run enable' for its service",
		       port, msg->idiag_uid);
	return MNL_CB_OK;
}

static void take_cookie(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_SOCKET_MAX + 1];
	struct listeners *listeners = data;
	uint64_t *more;

	/* Twice as many each time that it is full: 0, 1, 2, 4, 8 ... */
	if (!(listeners->nr & (listeners->nr - 1))) {
		more = realloc(listeners->cookies, sizeof(*more) *
			       (listeners->nr ? 2 * listeners->nr : 1));
		if (!more) {
			listeners->err = -ENOMEM;
			return;
		}
		listeners->cookies = more;
	}
	nl_parse(nlh, tb, NST_A_SOCKET_MAX);
	listeners->cookies[listeners->nr++] = nl_u64(tb[NST_A_SOCKET_COOKIE]);
}

static int has_nst(const struct listeners *listeners, uint64_t cookie)
{
	unsigned int i;

	for (i = 0; i < listeners->nr; i++)
		if (listeners->cookies[i] == cookie)
			return 1;
	return 0;
}

/* One that is bound there, or speaks to such a port. */
static int take_datagrams(const struct nlmsghdr *nlh, void *data)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
	struct listeners *listeners = data;
	uint16_t port = ntohs(msg->id.idiag_sport);
	const char *how = "on";

	if (!is_guarded(listeners->rules, IPPROTO_UDP, port)) {
		port = ntohs(msg->id.idiag_dport);
		how = "to";
	}
	if (!is_guarded(listeners->rules, IPPROTO_UDP, port) ||
	    has_nst(listeners, msg->id.idiag_cookie[0] |
		    (uint64_t)msg->id.idiag_cookie[1] << 32))
		return MNL_CB_OK;
	listeners->found++;
	report(listeners->patient, "listener", WARN,
	       "udp %u is guarded, and user %u has a socket %s it without NST, by which nothing passes: 'nst-run enable' for its service",
	       port, msg->idiag_uid, how);
	return MNL_CB_OK;
}

static int send_request(struct mnl_socket *sock, uint8_t family,
			uint8_t protocol)
{
	char buf[128] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = family;
	req->sdiag_protocol = protocol;
	req->idiag_states = protocol == IPPROTO_TCP ? 1 << TCP_LISTEN : ~0U;
	/* The ULP comes with what this asks for, or by itself. */
	req->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	return mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

static int list_family(struct listeners *listeners, uint8_t family,
		       uint8_t protocol)
{
	struct mnl_socket *sock = mnl_socket_open(NETLINK_SOCK_DIAG);
	char buf[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	int err, run = MNL_CB_OK;
	ssize_t n;

	if (!sock)
		return -errno;
	err = mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno :
		send_request(sock, family, protocol);
	while (!err && run > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(sock, buf, sizeof(buf));
		if (n > 0)
			run = mnl_cb_run(buf, n, 0, 0,
					 protocol == IPPROTO_TCP ?
					 take_listener : take_datagrams,
					 listeners);
		if (n < 0 || run < 0)
			err = -errno;
	}
	mnl_socket_close(sock);
	return err;
}

/* A kernel may be without these lists; nothing is said then. */
static void check_protocol(struct listeners *listeners, uint8_t protocol)
{
	const struct guard_rules *rules = listeners->rules;
	unsigned int i, guarded = 0;

	for (i = 0; i < rules->nr; i++)
		guarded += rules->rule[i].protocol == protocol;
	if (!guarded || list_family(listeners, AF_INET, protocol) ||
	    list_family(listeners, AF_INET6, protocol))
		return;
	if (listeners->found)
		return;
	if (protocol == IPPROTO_TCP)
		report(listeners->patient, "listener", GOOD,
		       "nobody listens on a guarded TCP port without NST");
	else
		report(listeners->patient, "listener", GOOD,
		       "no UDP socket is on a guarded port without NST");
}

/**
 * check_listeners() - has anybody a socket on a guarded port without NST?
 * @patient: whose
 * @rules: of the guard
 */
void check_listeners(struct patient *patient, const struct guard_rules *rules)
{
	struct listeners listeners = { .patient = patient, .rules = rules };
	int err;

	check_protocol(&listeners, IPPROTO_TCP);
	listeners.found = 0;
	err = nl_simple(&patient->nl, NST_CMD_SOCKET_GET, NLM_F_DUMP,
			take_cookie, &listeners);
	if (!err && !listeners.err)
		check_protocol(&listeners, IPPROTO_UDP);
	free(listeners.cookies);
}

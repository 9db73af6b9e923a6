// SPDX-License-Identifier: GPL-2.0
/*
 * Every call that can fail fails once, in the life of a network namespace: it comes
 * to be, gets keys, rules of the guard and settings, is listed, has sockets, and ends.
 * See lib/fault.h.
 */
#include <netinet/in.h>
#include <unistd.h>

#include "fault.h"
#include "faulttcp.h"
#include "nltalk.h"
#include "tcptest.h"

#define PORT		4711

/* What one request has besides its command. */
struct request {
	uint8_t cmd;
	uint16_t flags;
	uint16_t kid;
	uint16_t port;		/* a rule of the guard */
	bool secret;
	bool box;
	int done;		/* what it says if it had been carried out already */
};

static void fill(struct talk *t, const struct request *r)
{
	nl_begin(t, t->family, r->cmd, r->flags ?: NLM_F_ACK);
	if (r->box) {
		nl_put_nest(t, 1, NST_STATE_ACTIVE, 0x61);
		nl_put_nest(t, 2, NST_STATE_ACCEPT, 0x62);
	} else if (r->secret) {
		nl_put_key(t, r->kid, NST_STATE_ACCEPT, 0x63);
	} else if (r->kid) {
		nl_put_u16(t, NST_A_KEY_KID, r->kid);
	}
	if (!r->port)
		return;
	nl_put_u32(t, NST_A_RULE_PROTOCOL, IPPROTO_TCP);
	nl_put_u16(t, NST_A_RULE_PORT, r->port);
}

/*
 * With errno. What a lost answer leaves in the socket goes with it. A message that did
 * not get its memory has EMSGSIZE, and the socket whose answer did not, ENOBUFS.
 */
static long ask(const struct request *r)
{
	struct talk t;
	int err;

	errno = 0;
	if (nl_open(&t)) {
		errno = ENOMEM;
		return -1;
	}
	fill(&t, r);
	errno = 0;
	err = nl_talk(&t);
	nl_close(&t);
	errno = err == EMSGSIZE ? ENOBUFS : err;
	return err && err != r->done ? -1 : 0;
}

static int requests(void)
{
	static const struct request list[] = {
		{ .cmd = NST_CMD_BOX_LOAD, .box = true },
		{ .cmd = NST_CMD_KEY_ADD, .kid = 3, .secret = true, .done = EEXIST },
		{ .cmd = NST_CMD_KEY_ACTIVATE, .kid = 3 },
		{ .cmd = NST_CMD_KEY_RETIRE, .kid = 1 },
		{ .cmd = NST_CMD_KEY_GET, .kid = 3 },
		{ .cmd = NST_CMD_KEY_GET, .flags = NLM_F_DUMP },
		{ .cmd = NST_CMD_KEY_DEL, .kid = 1, .done = ENOKEY },
		{ .cmd = NST_CMD_CAPS_GET, .flags = NLM_F_DUMP },
		{ .cmd = NST_CMD_STATS_GET },
		{ .cmd = NST_CMD_INFO_GET },
		{ .cmd = NST_CMD_GUARD_ADD, .port = PORT },
		{ .cmd = NST_CMD_GUARD_ADD, .port = PORT + 1 },
		{ .cmd = NST_CMD_GUARD_GET, .flags = NLM_F_DUMP },
		{ .cmd = NST_CMD_GUARD_GET, .port = PORT },
		{ .cmd = NST_CMD_SOCKET_GET, .flags = NLM_F_DUMP },
		{ .cmd = NST_CMD_OWNER_GET, .flags = NLM_F_DUMP },
		{ .cmd = NST_CMD_GUARD_DEL, .port = PORT, .done = ENOENT },
		{ .cmd = NST_CMD_GUARD_FLUSH },
		{ .cmd = NST_CMD_BOX_FLUSH },
	};
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (!FAULT_TRY(ask(&list[i])))
			continue;
		printf("# command %u\n", list[i].cmd);
		return fault_failed("netlink", errno);
	}
	return 0;
}

static long set(const char *name, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/sys/net/nst/%s", name);
	errno = -nsttest_write_file(path, value);
	return errno ? -1 : 0;
}

static long read_counters(void)
{
	struct nsttest_counters c;

	errno = -nsttest_counters(&c);
	return errno ? -1 : 0;
}

static int views(void)
{
	if (FAULT_TRY(set("timestamp_window", "60")) ||
	    FAULT_TRY(set("udp_sessions_max", "100")) ||
	    FAULT_TRY(set("rekey_records", "1000")))
		return fault_failed("sysctl", errno);
	return FAULT_TRY(read_counters()) ? fault_failed("nst_stat", errno) : 0;
}

static long new_namespace(void)
{
	errno = -nsttest_netns();
	return errno ? -1 : 0;
}

/* Kept busy by a guard, an open dump and sockets on the namespace's box. */
static int sockets(void)
{
	static const struct request box = { .cmd = NST_CMD_BOX_LOAD, .box = true };
	struct fault_keys keys = { .cipher_id = NST_CIPHER_AES_GCM, .box = true };
	int a, b, ret;

	if (FAULT_TRY(ask(&box)))
		return fault_failed("box", errno);
	ret = nsttest_pair(AF_INET, 0, &b, &a);
	if (ret)
		return fault_failed("pair", -ret);
	if (FAULT_TRY(setsockopt(a, SOL_TCP, TCP_ULP, "nst", 3)) ||
	    FAULT_TRY(setsockopt(b, SOL_TCP, TCP_ULP, "nst", 3)))
		return fault_failed("attach", errno);
	ret = fault_install(a, &keys, NST_F_INITIATOR) ?:
	      fault_install(b, &keys, NST_F_RESPONDER);
	return ret ?: faulttcp_few(a, b);
}

/* A packet that the guard has to judge, on a port that it guards. */
static int live_guard(void)
{
	static const struct request add = {
		.cmd = NST_CMD_GUARD_ADD, .port = PORT,
	};
	static const struct request flush = { .cmd = NST_CMD_GUARD_FLUSH };
	struct sockaddr_storage ss;
	socklen_t len = nsttest_loopback(&ss, AF_INET, PORT);
	int lis = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte;
	int ret = 0;

	if (FAULT_TRY(ask(&add)))
		return fault_failed("guard add", errno);
	setsockopt(lis, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(lis, (void *)&ss, len) || listen(lis, 1) ||
	    connect(fd, (void *)&ss, len))
		return fault_failed("guarded connect", errno);
	/* In plaintext: neither leaves nor arrives. */
	send(fd, "xxxxxxxxxxxxxxxx", 16, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (nsttest_stat("NstGuardInDropped") < 1)
		ret = fault_failed("plaintext passed the guard", EPROTO);
	close(accept(lis, NULL, NULL));
	recv(fd, &byte, 1, MSG_DONTWAIT);
	close(fd);
	close(lis);
	if (FAULT_TRY(ask(&flush)))
		return fault_failed("guard flush", errno);
	return ret;
}

static int live_namespace(void)
{
	if (FAULT_TRY(new_namespace()))
		return fault_failed("unshare", errno);
	return views() ?: sockets();
}

static int live_requests(void)
{
	return requests();
}

int main(void)
{
	static const struct fault_life lives[] = {
		{ .name = "admin_requests", .live = live_requests },
		{ .name = "admin_guard", .live = live_guard },
		{ .name = "admin_namespace", .live = live_namespace,
		  .module_only = true },
	};

	return fault_main(lives, sizeof(lives) / sizeof(lives[0]));
}

// SPDX-License-Identifier: GPL-2.0
/* sockets: the UDP sockets that have NST; those of TCP are ss's. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "json.h"
#include "list.h"
#include "nl.h"
#include "nstkeyctl.h"

/* "[address]:port" */
#define END_TEXT	(INET6_ADDRSTRLEN + 16)

static void address(char *text, size_t size, uint32_t family,
		    const struct nlattr *attr)
{
	size_t want = family == AF_INET6 ? 16 : 4;

	if (!attr || mnl_attr_get_payload_len(attr) != want ||
	    !inet_ntop(family, mnl_attr_get_payload(attr), text, size))
		snprintf(text, size, "?");
}

/* One end in words; "*" if there is none. */
static void end(char *text, size_t size, uint32_t family,
		const struct nlattr *host, const struct nlattr *port)
{
	char name[INET6_ADDRSTRLEN];
	int len;

	if (!host) {
		snprintf(text, size, "*");
		return;
	}
	address(name, sizeof(name), family, host);
	len = snprintf(text, size, family == AF_INET6 ? "[%s]:" : "%s:", name);
	if (nl_u16(port))
		snprintf(text + len, size - len, "%u", nl_u16(port));
	else
		snprintf(text + len, size - len, "*");
}

static void direction_json(const char *name, const struct nlattr *nest)
{
	const struct nlattr *tb[NST_A_DIR_MAX + 1];

	if (!nest)
		return;
	nl_parse_nest(nest, tb, NST_A_DIR_MAX);
	json_object(name);
	json_uint("suite", nl_u32(tb[NST_A_DIR_SUITE]));
	json_uint("kid", nl_u16(tb[NST_A_DIR_KID]));
	json_uint("records", nl_u64(tb[NST_A_DIR_RECORDS]));
	json_uint("bytes", nl_u64(tb[NST_A_DIR_BYTES]));
	json_object_end();
}

static void drops_json(const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[NST_A_COUNTER_MAX + 1], *attr;

	json_object("drops");
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != NST_A_SOCKET_DROP)
			continue;
		nl_parse_nest(attr, tb, NST_A_COUNTER_MAX);
		json_uint(nl_string(tb[NST_A_COUNTER_NAME]),
			  nl_u64(tb[NST_A_COUNTER_VALUE]));
	}
	json_object_end();
}

static void end_json(const char *host_name, const char *port_name,
		     uint32_t family, const struct nlattr *host,
		     const struct nlattr *port)
{
	char name[INET6_ADDRSTRLEN];

	if (!host)
		return;
	address(name, sizeof(name), family, host);
	json_string(host_name, name);
	json_uint(port_name, nl_u16(port));
}

/* What only the owner and an administrator are told. */
static void detail_json(const struct nlmsghdr *nlh, const struct nlattr **tb)
{
	json_bool("broken", nl_u8(tb[NST_A_SOCKET_BROKEN]));
	direction_json("tx", tb[NST_A_SOCKET_TX]);
	direction_json("rx", tb[NST_A_SOCKET_RX]);
	drops_json(nlh);
}

static void socket_json(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_SOCKET_MAX + 1];
	uint32_t family;

	(void)data;
	nl_parse(nlh, tb, NST_A_SOCKET_MAX);
	family = nl_u32(tb[NST_A_SOCKET_FAMILY]);
	json_object(NULL);
	json_string("protocol", "udp");
	end_json("local", "local_port", family, tb[NST_A_SOCKET_LOCAL],
		 tb[NST_A_SOCKET_LOCAL_PORT]);
	end_json("remote", "remote_port", family, tb[NST_A_SOCKET_REMOTE],
		 tb[NST_A_SOCKET_REMOTE_PORT]);
	if (tb[NST_A_SOCKET_IFINDEX])
		json_uint("ifindex", nl_u32(tb[NST_A_SOCKET_IFINDEX]));
	json_uint("uid", nl_u32(tb[NST_A_SOCKET_UID]));
	json_uint("cookie", nl_u64(tb[NST_A_SOCKET_COOKIE]));
	if (tb[NST_A_SOCKET_BROKEN])
		detail_json(nlh, tb);
	json_object_end();
}

static void direction_text(const char *name, const struct nlattr *nest)
{
	const struct nlattr *tb[NST_A_DIR_MAX + 1];

	if (!nest) {
		printf("          %s: no key\n", name);
		return;
	}
	nl_parse_nest(nest, tb, NST_A_DIR_MAX);
	printf("          %s: suite %u, kid %u, %" PRIu64 " records, %" PRIu64
	       " bytes\n", name, nl_u32(tb[NST_A_DIR_SUITE]),
	       nl_u16(tb[NST_A_DIR_KID]), nl_u64(tb[NST_A_DIR_RECORDS]),
	       nl_u64(tb[NST_A_DIR_BYTES]));
}

static void drops_text(const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[NST_A_COUNTER_MAX + 1], *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != NST_A_SOCKET_DROP)
			continue;
		nl_parse_nest(attr, tb, NST_A_COUNTER_MAX);
		printf("          refused: %" PRIu64 " x %s\n",
		       nl_u64(tb[NST_A_COUNTER_VALUE]),
		       nl_string(tb[NST_A_COUNTER_NAME]));
	}
}

static void detail_text(const struct nlmsghdr *nlh, const struct nlattr **tb)
{
	direction_text("tx", tb[NST_A_SOCKET_TX]);
	direction_text("rx", tb[NST_A_SOCKET_RX]);
	if (nl_u8(tb[NST_A_SOCKET_BROKEN]))
		puts("          broken: changed behind NST, it gives EIO for good");
	drops_text(nlh);
}

static void device_text(const struct nlattr *ifindex)
{
	char name[IF_NAMESIZE];

	if (!ifindex)
		return;
	if (if_indextoname(nl_u32(ifindex), name))
		printf("  device %s", name);
	else
		printf("  device %u", nl_u32(ifindex));
}

static void socket_text(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_SOCKET_MAX + 1];
	char local[END_TEXT], remote[END_TEXT];
	uint32_t family;

	(void)data;
	nl_parse(nlh, tb, NST_A_SOCKET_MAX);
	family = nl_u32(tb[NST_A_SOCKET_FAMILY]);
	end(local, sizeof(local), family, tb[NST_A_SOCKET_LOCAL],
	    tb[NST_A_SOCKET_LOCAL_PORT]);
	end(remote, sizeof(remote), family, tb[NST_A_SOCKET_REMOTE],
	    tb[NST_A_SOCKET_REMOTE_PORT]);
	printf("udp  %s  %s  uid %u  cookie %" PRIx64, local, remote,
	       nl_u32(tb[NST_A_SOCKET_UID]), nl_u64(tb[NST_A_SOCKET_COOKIE]));
	device_text(tb[NST_A_SOCKET_IFINDEX]);
	putchar('\n');
	if (tb[NST_A_SOCKET_BROKEN])
		detail_text(nlh, tb);
}

/* sockets */
int cmd_sockets(const struct options *opt, char **args)
{
	static const struct list list = {
		.name = "sockets",
		.array = "sockets",
		.none = "No UDP socket has NST here ('ss -tie' shows those of TCP).",
		.cmd = NST_CMD_SOCKET_GET,
		.text = socket_text,
		.json = socket_json,
	};

	(void)args;
	return list_command(&list, opt, NULL);
}

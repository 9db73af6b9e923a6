// SPDX-License-Identifier: GPL-2.0
/*
 * Two network namespaces with a wire (veth) between them, and WireGuard over
 * it if wanted, made for one measurement and gone with the process. By netlink
 * alone, so that the guest of User Mode Linux needs no programs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <linux/wireguard.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define VETH		"wire0"
#define TUNNEL		"wg0"
#define PREFIX_LEN	24
#define TUNNEL_PORT	51820
/*
 * What fits the wire's 1500 with WireGuard's 60 bytes over IPv4: more than the
 * 1420 it sets up for itself, which would cut 1400-byte datagrams in two.
 */
#define TUNNEL_MTU	1440

struct request {
	union {
		struct nlmsghdr head;
		char bytes[1024];
	};
};

struct reply {
	union {
		struct nlmsghdr head;
		char bytes[8192];
	};
};

/* End 0 or 1 of the wire, or of the tunnel, in host order. */
static uint32_t address(int end, bool tunnel)
{
	return (tunnel ? 0x0a000100 : 0x0a000000) + 1 + end;
}

static void *append(struct request *r, const void *data, size_t len)
{
	void *to = r->bytes + NLMSG_ALIGN(r->head.nlmsg_len);

	if (NLMSG_ALIGN(r->head.nlmsg_len) + len > sizeof(*r)) {
		errno = EMSGSIZE;
		die("netlink request");
	}
	if (len)
		memcpy(to, data, len);
	r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + len;
	return to;
}

static void start(struct request *r, int type, int flags, const void *header,
		  size_t len)
{
	memset(r, 0, sizeof(*r));
	r->head.nlmsg_len = NLMSG_HDRLEN;
	r->head.nlmsg_type = type;
	r->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	append(r, header, len);
}

static struct rtattr *put(struct request *r, int type, const void *data,
			  size_t len)
{
	struct rtattr attr = { .rta_type = type, .rta_len = RTA_LENGTH(len) };
	struct rtattr *at = append(r, &attr, sizeof(attr));

	append(r, data, len);
	return at;
}

static void put_string(struct request *r, int type, const char *s)
{
	put(r, type, s, strlen(s) + 1);
}

static void put_u32(struct request *r, int type, uint32_t value)
{
	put(r, type, &value, sizeof(value));
}

static void put_u16(struct request *r, int type, uint16_t value)
{
	put(r, type, &value, sizeof(value));
}

static struct rtattr *nest(struct request *r, int type)
{
	return put(r, type | NLA_F_NESTED, NULL, 0);
}

static void nest_end(struct request *r, struct rtattr *at)
{
	at->rta_len = r->bytes + r->head.nlmsg_len - (char *)at;
}

/*
 * Takes what one datagram of the kernel holds: *data becomes the first message
 * that is neither an error report nor the end. True at those, which both
 * begin with an error number.
 */
static bool take_answer(struct reply *answer, int len, struct reply *data,
			int *error)
{
	struct nlmsghdr *h = &answer->head;

	for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
			*error = -*(int *)NLMSG_DATA(h);
			return true;
		}
		if (data && !data->head.nlmsg_len)
			memcpy(data, h, h->nlmsg_len);
	}
	return false;
}

/* Sends, and waits until it is done. data, if not NULL, is zero. */
static void ask(int protocol, struct request *r, struct reply *data,
		const char *what)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	struct reply answer;
	ssize_t n;

	if (fd < 0 || send(fd, r, r->head.nlmsg_len, 0) < 0)
		die(what);
	do {
		n = recv(fd, &answer, sizeof(answer), 0);
		if (n < 0)
			die(what);
	} while (!take_answer(&answer, n, data, &errno));
	if (errno)
		die(what);
	close(fd);
}

/* An attribute of a generic netlink message. */
static const void *find_attribute(const struct reply *m, int type, size_t len)
{
	const char *p = NLMSG_DATA(&m->head);
	const struct rtattr *a = (const void *)(p + GENL_HDRLEN);
	int left = NLMSG_PAYLOAD(&m->head, GENL_HDRLEN);

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == type && RTA_PAYLOAD(a) == len)
			return RTA_DATA(a);
	errno = ENODATA;
	die("netlink attribute");
	return NULL;
}

/* The current namespace: no IPv6, whose own traffic would be measured. */
static void quiet_namespace(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		die("disable_ipv6");
	close(fd);
}

/* From the current namespace to another one. */
static void make_wire(int peer)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct rtattr *info, *data, *end;
	struct request r;

	start(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	put_string(&r, IFLA_IFNAME, VETH);
	info = nest(&r, IFLA_LINKINFO);
	put_string(&r, IFLA_INFO_KIND, "veth");
	data = nest(&r, IFLA_INFO_DATA);
	end = nest(&r, VETH_INFO_PEER);
	append(&r, &link, sizeof(link));
	put_string(&r, IFLA_IFNAME, VETH);
	put_u32(&r, IFLA_NET_NS_FD, peer);
	nest_end(&r, end);
	nest_end(&r, data);
	nest_end(&r, info);
	ask(NETLINK_ROUTE, &r, NULL, "veth");
}

static void make_tunnel(void)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct rtattr *info;
	struct request r;

	start(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	put_string(&r, IFLA_IFNAME, TUNNEL);
	put_u32(&r, IFLA_MTU, TUNNEL_MTU);
	info = nest(&r, IFLA_LINKINFO);
	put_string(&r, IFLA_INFO_KIND, WG_GENL_NAME);
	nest_end(&r, info);
	ask(NETLINK_ROUTE, &r, NULL, "wireguard device");
}

/* Gives a device its address and takes it into service. */
static void set_up(const char *device, int end, bool tunnel)
{
	struct ifaddrmsg addr = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = PREFIX_LEN,
		.ifa_index = if_nametoindex(device),
	};
	struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = addr.ifa_index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct request r;

	start(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &addr, sizeof(addr));
	put_u32(&r, IFA_LOCAL, htonl(address(end, tunnel)));
	put_u32(&r, IFA_ADDRESS, htonl(address(end, tunnel)));
	ask(NETLINK_ROUTE, &r, NULL, "address");
	start(&r, RTM_NEWLINK, 0, &link, sizeof(link));
	ask(NETLINK_ROUTE, &r, NULL, "device up");
}

static uint16_t tunnel_family(void)
{
	struct genlmsghdr g = { .cmd = CTRL_CMD_GETFAMILY };
	struct request r;
	struct reply m = {};

	start(&r, GENL_ID_CTRL, 0, &g, sizeof(g));
	put_string(&r, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	ask(NETLINK_GENERIC, &r, &m, "wireguard netlink");
	return *(const uint16_t *)find_attribute(&m, CTRL_ATTR_FAMILY_ID, 2);
}

/* A fresh key pair in the current namespace's device; gives the public key. */
static void make_key(uint16_t family, uint8_t public[WG_KEY_LEN])
{
	struct genlmsghdr g = { .cmd = WG_CMD_SET_DEVICE,
				.version = WG_GENL_VERSION };
	uint8_t secret[WG_KEY_LEN];
	struct request r;
	struct reply m = {};

	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		die("getrandom");
	start(&r, family, 0, &g, sizeof(g));
	put_string(&r, WGDEVICE_A_IFNAME, TUNNEL);
	put(&r, WGDEVICE_A_PRIVATE_KEY, secret, sizeof(secret));
	put_u16(&r, WGDEVICE_A_LISTEN_PORT, TUNNEL_PORT);
	ask(NETLINK_GENERIC, &r, NULL, "wireguard key");
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(&r, sizeof(r));

	g.cmd = WG_CMD_GET_DEVICE;
	start(&r, family, NLM_F_DUMP, &g, sizeof(g));
	put_string(&r, WGDEVICE_A_IFNAME, TUNNEL);
	ask(NETLINK_GENERIC, &r, &m, "wireguard device");
	memcpy(public, find_attribute(&m, WGDEVICE_A_PUBLIC_KEY, WG_KEY_LEN),
	       WG_KEY_LEN);
}

static void add_peer(uint16_t family, const uint8_t public[WG_KEY_LEN], int end)
{
	struct genlmsghdr g = { .cmd = WG_CMD_SET_DEVICE,
				.version = WG_GENL_VERSION };
	const struct sockaddr_in endpoint = {
		.sin_family = AF_INET,
		.sin_port = htons(TUNNEL_PORT),
		.sin_addr.s_addr = htonl(address(end, false)),
	};
	const uint8_t prefix = 32;
	struct rtattr *peers, *peer, *ips, *ip;
	struct request r;

	start(&r, family, 0, &g, sizeof(g));
	put_string(&r, WGDEVICE_A_IFNAME, TUNNEL);
	peers = nest(&r, WGDEVICE_A_PEERS);
	peer = nest(&r, 0);
	put(&r, WGPEER_A_PUBLIC_KEY, public, WG_KEY_LEN);
	put(&r, WGPEER_A_ENDPOINT, &endpoint, sizeof(endpoint));
	ips = nest(&r, WGPEER_A_ALLOWEDIPS);
	ip = nest(&r, 0);
	put_u16(&r, WGALLOWEDIP_A_FAMILY, AF_INET);
	put_u32(&r, WGALLOWEDIP_A_IPADDR, htonl(address(end, true)));
	put(&r, WGALLOWEDIP_A_CIDR_MASK, &prefix, sizeof(prefix));
	nest_end(&r, ip);
	nest_end(&r, ips);
	nest_end(&r, peer);
	nest_end(&r, peers);
	ask(NETLINK_GENERIC, &r, NULL, "wireguard peer");
}

static void enter(int ns)
{
	if (setns(ns, CLONE_NEWNET) < 0)
		die("setns");
}

static void make_tunnels(const int ns[2])
{
	uint8_t public[2][WG_KEY_LEN];
	uint16_t family;
	int i;

	for (i = 0; i < 2; i++) {
		enter(ns[i]);
		make_tunnel();
		family = tunnel_family();
		make_key(family, public[i]);
	}
	for (i = 0; i < 2; i++) {
		enter(ns[i]);
		add_peer(family, public[!i], !i);
		set_up(TUNNEL, i, true);
	}
}

static int open_socket(int end, bool tunnel, uint16_t port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(address(end, tunnel)),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("bind");
	addr.sin_addr.s_addr = htonl(address(!end, tunnel));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("connect");
	return fd;
}

void wire_open(bool tunnel, uint16_t port, int fd[2])
{
	int ns[2], i;

	for (i = 0; i < 2; i++) {
		if (unshare(CLONE_NEWNET) < 0)
			die("unshare");
		quiet_namespace();
		ns[i] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (ns[i] < 0)
			die("/proc/self/ns/net");
	}
	make_wire(ns[0]);
	for (i = 0; i < 2; i++) {
		enter(ns[i]);
		set_up(VETH, i, false);
	}
	if (tunnel)
		make_tunnels(ns);
	for (i = 0; i < 2; i++) {
		enter(ns[i]);
		fd[i] = open_socket(i, tunnel, port);
		close(ns[i]);
	}
}

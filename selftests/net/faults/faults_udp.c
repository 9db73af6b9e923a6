// SPDX-License-Identifier: GPL-2.0
/*
 * Every call that can fail fails once, in the life of UDP sockets: a datagram may be
 * lost, but none comes twice or changed, and what is sent next arrives; see lib/fault.h.
 */
#include <arpa/inet.h>
#include <unistd.h>

#include "fault.h"
#include "udptest.h"

#define TRIES		4
#define DGRAMS		64
#define LONGEST		60000
#define GROUP		"239.1.2.3"
#define GROUP_PORT	7777

/* The datagrams of one life: their pattern begins elsewhere in each. */
struct post {
	int nr;			/* sent so far */
	size_t len[DGRAMS];
	bool came[DGRAMS];
};

static size_t place_of(int nr)
{
	return nr * 977;
}

static int send_one(struct post *post, int from, size_t len,
		    struct udptest_name *to)
{
	static char buf[LONGEST];
	struct sockaddr *addr = to ? udptest_sa(to) : NULL;
	ssize_t n;

	if (post->nr == DGRAMS)
		return fault_failed("too many datagrams", ENOSPC);
	fault_fill(buf, len, place_of(post->nr));
	post->len[post->nr++] = len;
	n = FAULT_TRY(sendto(from, buf, len, 0, addr, to ? to->len : 0));
	if (n != (ssize_t)len)
		return fault_failed("sendto", n < 0 ? errno : EMSGSIZE);
	return 0;
}

/* Which of them is it? None: it was changed, or comes again. */
static int take_one(struct post *post, const char *buf, ssize_t len)
{
	int i;

	for (i = 0; i < post->nr; i++) {
		if (post->len[i] != (size_t)len || post->came[i] ||
		    !fault_same(buf, len, place_of(i)))
			continue;
		post->came[i] = true;
		return 0;
	}
	return fault_failed("a datagram that nobody sent, or again", EILSEQ);
}

/* Waits for one; -ETIMEDOUT: it is lost. */
static int recv_one(struct post *post, int to, int flags)
{
	static char buf[LONGEST + 1];
	struct post peeked = *post;
	ssize_t n;

	if (!tcptest_poll(to, POLLIN, nsttest_patience(1) * 300))
		return -ETIMEDOUT;
	n = FAULT_TRY(recv(to, buf, sizeof(buf), flags | MSG_DONTWAIT));
	/* One that cannot be copied to the program is lost, as UDP has it. */
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : fault_failed("recv", errno);
	return take_one(flags & MSG_PEEK ? &peeked : post, buf, n);
}

/* A sender that goes on reaches the receiver. */
static int pass(struct post *post, int from, int to, size_t len,
		struct udptest_name *name)
{
	int i, ret = -ETIMEDOUT;

	for (i = 0; i < TRIES && ret == -ETIMEDOUT; i++) {
		ret = send_one(post, from, len, name);
		if (!ret)
			ret = recv_one(post, to, 0);
	}
	return ret == -ETIMEDOUT ? fault_failed("nothing arrives", ETIMEDOUT) : ret;
}

static int peek(struct post *post, int from, int to)
{
	int ret, i;

	for (i = 0, ret = -ETIMEDOUT; i < TRIES && ret == -ETIMEDOUT; i++) {
		ret = send_one(post, from, 700, NULL);
		if (!ret)
			ret = recv_one(post, to, MSG_PEEK);
	}
	if (!ret)
		ret = recv_one(post, to, 0);
	return ret == -ETIMEDOUT ? 0 : ret;
}

/* One call, five datagrams; what of them arrives is right. */
static int pass_segments(struct post *post, int from, int to)
{
	static char buf[5000];
	int i, ret = 0, size = 1000;
	ssize_t n;

	if (FAULT_TRY(setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &size,
				 sizeof(size))))
		return fault_failed("UDP_SEGMENT", errno);
	for (i = 0; i < 5; i++) {
		post->len[post->nr] = size;
		fault_fill(buf + i * size, size, place_of(post->nr++));
	}
	n = FAULT_TRY(send(from, buf, sizeof(buf), 0));
	if (n != sizeof(buf))
		return fault_failed("send segments", n < 0 ? errno : EMSGSIZE);
	for (i = 0; i < 5 && !ret; i++)
		ret = recv_one(post, to, 0);
	size = 0;
	if (FAULT_TRY(setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &size,
				 sizeof(size))))
		return fault_failed("UDP_SEGMENT off", errno);
	return ret == -ETIMEDOUT ? 0 : ret;
}

static int new_epoch(int fd)
{
	struct nst_rekey rekey = {};
	struct nst_info info;
	socklen_t len = sizeof(info);

	if (FAULT_TRY(setsockopt(fd, SOL_NST, NST_REKEY, &rekey, sizeof(rekey))))
		return fault_failed("rekey", errno);
	if (FAULT_TRY(getsockopt(fd, SOL_NST, NST_INFO, &info, &len)))
		return fault_failed("info", errno);
	return 0;
}

/* Nobody is there, and that is told, or lost: what comes next works all the same. */
static int errors(struct post *post, int from)
{
	static const struct udptest_conf conf = { .family = UDPTEST_IPV4 };
	struct udptest_name nobody;
	int one = 1;
	char byte[64];

	udptest_loopback(&conf, 9, &nobody);
	if (FAULT_TRY(setsockopt(from, IPPROTO_IP, IP_RECVERR, &one, sizeof(one))))
		return fault_failed("IP_RECVERR", errno);
	if (send_one(post, from, 300, &nobody))
		return -EINVAL;
	recv(from, byte, sizeof(byte), MSG_ERRQUEUE | MSG_DONTWAIT);
	recv(from, byte, sizeof(byte), MSG_DONTWAIT);
	return 0;
}

static int open_one(const struct fault_keys *keys)
{
	int one = 1, fd = FAULT_TRY(socket(AF_INET, SOCK_DGRAM, 0));

	if (fd < 0)
		return fault_failed("socket", errno);
	if (tcptest_timeout(fd, SO_RCVTIMEO, nsttest_patience(4) * 1000))
		return -EINVAL;
	if (FAULT_TRY(setsockopt(fd, IPPROTO_IP, NST_ATTACH, &one, sizeof(one))))
		return fault_failed("attach", errno);
	return fault_install(fd, keys, 0) ?: fd;
}

static int bind_one(int fd, const char *ip, uint16_t port)
{
	static const struct udptest_conf conf = { .family = UDPTEST_IPV4 };
	struct udptest_name name;

	udptest_address(&conf, ip, "::", port, &name);
	return FAULT_TRY(bind(fd, udptest_sa(&name), name.len)) ?
		fault_failed("bind", errno) : 0;
}

static int exchange(int a, int b)
{
	static const size_t sizes[] = { 1, 500, 1400, 9000, LONGEST };
	struct post there = {}, back = {};
	struct udptest_name name;
	int ret = pass(&back, b, a, 50, NULL);
	size_t i;

	for (i = 0; !ret && i < sizeof(sizes) / sizeof(sizes[0]); i++)
		ret = pass(&there, a, b, sizes[i], NULL);
	if (!ret)
		ret = peek(&there, a, b) ?: pass_segments(&there, a, b);
	if (!ret)
		ret = new_epoch(a) ?: pass(&there, a, b, 200, NULL);
	if (!ret)
		ret = errors(&there, a) ?: udptest_peer(a, &name);
	if (!ret)
		ret = pass(&there, a, b, 2000, &name);
	return ret ?: pass(&back, b, a, 3000, NULL);
}

static int live(uint8_t cipher_id)
{
	struct fault_keys keys = { .cipher_id = cipher_id };
	int a, b, ret;

	fault_secret(keys.secret);
	a = open_one(&keys);
	b = open_one(&keys);
	if (a < 0 || b < 0)
		return -EINVAL;
	ret = bind_one(a, "127.0.0.1", 0) ?: bind_one(b, "127.0.0.1", 0);
	if (!ret && (FAULT_TRY(udptest_connect(a, b)) ||
		     FAULT_TRY(udptest_connect(b, a))))
		return fault_failed("connect", errno);
	ret = ret ?: exchange(a, b);
	close(a);
	close(b);
	return ret;
}

static int join_group(int fd)
{
	struct ip_mreq mreq = {
		.imr_multiaddr.s_addr = inet_addr(GROUP),
		.imr_interface.s_addr = htonl(INADDR_LOOPBACK),
	};
	int one = 1;

	if (FAULT_TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one))))
		return fault_failed("SO_REUSEADDR", errno);
	if (bind_one(fd, "0.0.0.0", GROUP_PORT))
		return -EINVAL;
	if (FAULT_TRY(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq,
				 sizeof(mreq))) && errno != EADDRINUSE)
		return fault_failed("join", errno);
	return 0;
}

/* To two sockets, each of which takes it once. */
static int to_group(int from, const int *to)
{
	static const struct udptest_conf conf = { .family = UDPTEST_IPV4 };
	struct post out = {}, in[2];
	struct udptest_name name;
	int i, nr, ret, got[2] = {};

	udptest_address(&conf, GROUP, "::", GROUP_PORT, &name);
	for (nr = 0; nr < 8; nr++) {
		if (send_one(&out, from, 400, &name))
			return -EINVAL;
		for (i = 0; i < 2; i++) {
			in[i] = nr ? in[i] : out;
			in[i].nr = out.nr;
			in[i].len[nr] = 400;
			ret = recv_one(&in[i], to[i], 0);
			if (ret && ret != -ETIMEDOUT)
				return ret;
			got[i] += !ret;
		}
		if (got[0] > 2 && got[1] > 2)
			return 0;
	}
	return fault_failed("the group gets nothing", ETIMEDOUT);
}

static int live_group(void)
{
	struct fault_keys keys = { .cipher_id = NST_CIPHER_AES_GCM };
	struct in_addr lo = { .s_addr = htonl(INADDR_LOOPBACK) };
	int from, to[2], ret;

	fault_secret(keys.secret);
	from = open_one(&keys);
	to[0] = open_one(&keys);
	to[1] = open_one(&keys);
	if (from < 0 || to[0] < 0 || to[1] < 0)
		return -EINVAL;
	ret = join_group(to[0]) ?: join_group(to[1]);
	if (!ret && FAULT_TRY(setsockopt(from, IPPROTO_IP, IP_MULTICAST_IF, &lo,
					 sizeof(lo))))
		return fault_failed("IP_MULTICAST_IF", errno);
	return ret ?: to_group(from, to);
}

static int live_gcm(void)
{
	return live(NST_CIPHER_AES_GCM);
}

static int live_cbc(void)
{
	return live(NST_CIPHER_AES_256_CBC);
}

int main(void)
{
	static const struct fault_life lives[] = {
		{ .name = "udp_gcm", .live = live_gcm },
		{ .name = "udp_cbc", .live = live_cbc },
		{ .name = "udp_group", .live = live_group },
	};

	return fault_main(lives, sizeof(lives) / sizeof(lives[0]));
}

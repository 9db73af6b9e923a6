// SPDX-License-Identifier: GPL-2.0
/* What the tests of a UDP socket's behaviour share. See udptest.h. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "nltalk.h"
#include "udptest.h"

#define NR_BYTES	4	/* of a datagram, its number */

bool udptest_is_v6(const struct udptest_conf *conf)
{
	return conf->family == UDPTEST_IPV6;
}

int udptest_open(const struct udptest_conf *conf)
{
	int af = conf->family == UDPTEST_IPV4 ? AF_INET : AF_INET6;
	int fd = socket(af, SOCK_DGRAM, 0);
	int ret;

	if (fd < 0)
		return -errno;
	ret = tcptest_timeout(fd, SO_RCVTIMEO, NSTTEST_TIMEOUT * 1000);
	if (!ret)
		ret = tcptest_timeout(fd, SO_SNDTIMEO, NSTTEST_TIMEOUT * 1000);
	if (ret)
		close(fd);
	return ret ?: fd;
}

int udptest_attach(int fd)
{
	return tcptest_set_int(fd, IPPROTO_IP, NST_ATTACH, 1);
}

int udptest_install(int fd, const struct udptest_conf *conf)
{
	struct nsttest_conf c = {
		.cipher_id = conf->cipher_id,
		.nr_keys = conf->box ? 0 : NSTTEST_KEYS,
	};

	return nsttest_install(fd, &c);
}

int udptest_key(int fd, const struct udptest_conf *conf)
{
	int ret;

	if (!conf->cipher_id)
		return 0;
	ret = udptest_attach(fd);
	return ret ?: udptest_install(fd, conf);
}

int udptest_load_box(void)
{
	struct talk t;
	int ret;

	if (nl_open(&t))
		return -ENOENT;
	nl_begin(&t, t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(&t, 1, NST_STATE_ACTIVE, 0x51);
	nl_put_nest(&t, 2, NST_STATE_ACCEPT, 0x52);
	ret = nl_talk(&t);
	nl_close(&t);
	return ret;
}

int udptest_address(const struct udptest_conf *conf, const char *ip4,
		    const char *ip6, uint16_t port, struct udptest_name *name)
{
	struct sockaddr_in6 *in6 = (void *)&name->ss;
	struct sockaddr_in *in = (void *)&name->ss;
	char mapped[64];

	memset(name, 0, sizeof(*name));
	if (conf->family == UDPTEST_IPV4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		name->len = sizeof(*in);
		return inet_pton(AF_INET, ip4, &in->sin_addr) == 1 ?
			0 : -EINVAL;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	name->len = sizeof(*in6);
	if (conf->family == UDPTEST_DUAL) {
		snprintf(mapped, sizeof(mapped), "::ffff:%s", ip4);
		ip6 = mapped;
	}
	return inet_pton(AF_INET6, ip6, &in6->sin6_addr) == 1 ? 0 : -EINVAL;
}

void udptest_loopback(const struct udptest_conf *conf, uint16_t port,
		      struct udptest_name *name)
{
	udptest_address(conf, "127.0.0.1", "::1", port, name);
}

int udptest_new(const struct udptest_conf *conf)
{
	int fd = udptest_open(conf);
	int ret;

	if (fd < 0)
		return fd;
	ret = udptest_key(fd, conf);
	if (ret)
		close(fd);
	return ret ?: fd;
}

int udptest_bound(const struct udptest_conf *conf)
{
	struct udptest_name name;
	int fd = udptest_new(conf);
	int ret;

	if (fd < 0)
		return fd;
	udptest_loopback(conf, 0, &name);
	ret = bind(fd, udptest_sa(&name), name.len) ? -errno : 0;
	if (ret)
		close(fd);
	return ret ?: fd;
}

int udptest_name(int fd, struct udptest_name *name)
{
	name->len = sizeof(name->ss);
	return getsockname(fd, udptest_sa(name), &name->len) ? -errno : 0;
}

int udptest_peer(int fd, struct udptest_name *name)
{
	name->len = sizeof(name->ss);
	return getpeername(fd, udptest_sa(name), &name->len) ? -errno : 0;
}

/* The port is at the same place in both kinds of address. */
uint16_t udptest_port(const struct udptest_name *name)
{
	return ntohs(((const struct sockaddr_in *)&name->ss)->sin_port);
}

int udptest_connect(int fd, int to)
{
	struct udptest_name name;
	int ret = udptest_name(to, &name);

	if (ret)
		return ret;
	return connect(fd, udptest_sa(&name), name.len) ? -errno : 0;
}

int udptest_disconnect(int fd)
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };

	return connect(fd, &sa, sizeof(sa)) ? -errno : 0;
}

int udptest_nobody(const struct udptest_conf *conf, struct udptest_name *name)
{
	struct udptest_conf plain = { .family = conf->family };
	int fd = udptest_bound(&plain);
	int ret;

	if (fd < 0)
		return fd;
	ret = udptest_name(fd, name);
	close(fd);
	return ret;
}

int udptest_pair(const struct udptest_conf *conf, int *a, int *b)
{
	int ret;

	*a = -1;
	*b = udptest_bound(conf);
	if (*b < 0)
		return *b;
	*a = udptest_bound(conf);
	if (*a < 0)
		return *a;
	ret = udptest_connect(*a, *b);
	return ret ?: udptest_connect(*b, *a);
}

int udptest_met(const struct udptest_conf *conf, int *a, int *b)
{
	int ret = udptest_pair(conf, a, b);

	return ret ?: udptest_meet(*a, *b);
}

static bool is_cbc(const struct udptest_conf *conf)
{
	return conf->cipher_id && peer_suite_find(conf->cipher_id)->cbc;
}

/* Plaintext in @room bytes behind UDP's header */
static size_t plaintext(const struct udptest_conf *conf, size_t room)
{
	if (!conf->cipher_id)
		return room;
	room -= PEER_HDR_SIZE;
	return is_cbc(conf) ? room / 16 * 16 : room;
}

size_t udptest_longest(const struct udptest_conf *conf)
{
	/* IPv4 counts its own header in the 16 bits, IPv6 does not. */
	return plaintext(conf, 65535 - 8 - (udptest_is_v6(conf) ? 0 : 20));
}

size_t udptest_fitting(const struct udptest_conf *conf, size_t mtu)
{
	return plaintext(conf, mtu - 8 - (udptest_is_v6(conf) ? 40 : 20));
}

size_t udptest_wire(const struct udptest_conf *conf, size_t len)
{
	if (!conf->cipher_id)
		return len;
	return PEER_HDR_SIZE + (is_cbc(conf) ? (len + 15) / 16 * 16 : len);
}

void udptest_fill(void *buf, size_t len, uint32_t nr)
{
	uint8_t head[NR_BYTES] = { nr, nr >> 8, nr >> 16, nr >> 24 };
	size_t n = len < NR_BYTES ? len : NR_BYTES;

	memcpy(buf, head, n);
	tcptest_fill((uint8_t *)buf + n, len - n, nr);
}

int64_t udptest_number(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint32_t nr;

	if (len < NR_BYTES)
		return -1;
	nr = p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
	return tcptest_same(p + NR_BYTES, len - NR_BYTES, nr) ?
		(int64_t)nr : -1;
}

bool udptest_same(const void *buf, size_t len, uint32_t nr)
{
	uint8_t want[UDPTEST_MAX];

	udptest_fill(want, len, nr);
	return !memcmp(buf, want, len);
}

int udptest_sendto(int fd, struct udptest_name *to, uint32_t nr, size_t len)
{
	uint8_t buf[UDPTEST_MAX];
	ssize_t n;

	udptest_fill(buf, len, nr);
	n = sendto(fd, buf, len, 0, to ? udptest_sa(to) : NULL,
		   to ? to->len : 0);
	if (n < 0)
		return -errno;
	return n == (ssize_t)len ? 0 : -EIO;
}

int udptest_send(int fd, uint32_t nr, size_t len)
{
	return udptest_sendto(fd, NULL, nr, len);
}

int udptest_recvfrom(int fd, struct udptest_name *from, uint32_t nr,
		     size_t len)
{
	uint8_t buf[UDPTEST_MAX];
	ssize_t n;

	from->len = sizeof(from->ss);
	n = recvfrom(fd, buf, sizeof(buf), 0, udptest_sa(from), &from->len);
	if (n < 0)
		return -errno;
	if (n == (ssize_t)len && udptest_same(buf, n, nr))
		return 0;
	fprintf(stderr, "# %zd bytes, number %lld, instead of %zu, %u\n", n,
		(long long)udptest_number(buf, n), len, nr);
	return -EILSEQ;
}

int udptest_recv(int fd, uint32_t nr, size_t len)
{
	struct udptest_name from;

	return udptest_recvfrom(fd, &from, nr, len);
}

ssize_t udptest_try(int fd)
{
	uint8_t buf[UDPTEST_MAX];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

bool udptest_silent(int fd)
{
	return !(tcptest_poll(fd, POLLIN, TCPTEST_NEVER_MS) & POLLIN);
}

int udptest_arrived(int fd)
{
	int soon = nsttest_patience(TCPTEST_SOON_MS);

	return tcptest_poll(fd, POLLIN, soon) & POLLIN ? 0 : -ETIMEDOUT;
}

int udptest_meet(int a, int b)
{
	int ret = udptest_send(a, 0, 10);

	if (!ret)
		ret = udptest_recv(b, 0, 10);
	if (!ret)
		ret = udptest_send(b, 0, 10);
	return ret ?: udptest_recv(a, 0, 10);
}

ssize_t udptest_send_ctl(int fd, struct udptest_name *to, uint32_t nr,
			 size_t len, int level, int type, const void *ctl,
			 size_t ctl_len)
{
	union {
		char buf[CMSG_SPACE(64)];
		struct cmsghdr align;
	} control = {};
	uint8_t buf[UDPTEST_MAX];
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_name = to ? &to->ss : NULL,
		.msg_namelen = to ? to->len : 0,
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = CMSG_SPACE(ctl_len),
	};
	ssize_t n;

	control.align.cmsg_level = level;
	control.align.cmsg_type = type;
	control.align.cmsg_len = CMSG_LEN(ctl_len);
	memcpy(CMSG_DATA(&control.align), ctl, ctl_len);
	udptest_fill(buf, len, nr);
	n = sendmsg(fd, &msg, 0);
	return n < 0 ? -errno : n;
}

ssize_t udptest_recv_ctl(int fd, void *buf, size_t len, int flags, int level,
			 int type, void *ctl, size_t ctl_len, bool *found)
{
	union {
		char buf[512];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg;
	ssize_t n;

	*found = false;
	n = recvmsg(fd, &msg, flags);
	if (n < 0)
		return -errno;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != level || cmsg->cmsg_type != type ||
		    cmsg->cmsg_len < CMSG_LEN(ctl_len))
			continue;
		memcpy(ctl, CMSG_DATA(cmsg), ctl_len);
		*found = true;
	}
	return n;
}

int udptest_run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (!system(command))
		return 0;
	fprintf(stderr, "# failed: %s\n", command);
	return -EIO;
}

int udptest_lo_mtu(int mtu)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ret;

	if (fd < 0)
		return -errno;
	ifr.ifr_mtu = mtu;
	ret = ioctl(fd, SIOCSIFMTU, &ifr) ? -errno : 0;
	close(fd);
	return ret;
}

long udptest_stat_at_last(const char *name, long want)
{
	int i, tries = nsttest_patience(TCPTEST_SOON_MS / 10);
	long now = nsttest_stat(name);

	for (i = 0; i < tries && now != want; i++) {
		usleep(10000);
		now = nsttest_stat(name);
	}
	return now;
}

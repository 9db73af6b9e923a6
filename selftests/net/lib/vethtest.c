// SPDX-License-Identifier: GPL-2.0
/* Two network namespaces joined by a veth pair. See vethtest.h. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "vethtest.h"

#define TIMEOUT_MS	12000

/* A command of the shell; what it prints shows only if it fails. */
static int run(const char *format, ...)
{
	char command[256];
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	status = system(command);
	if (!status)
		return 0;
	fprintf(stderr, "# failed: %s\n", command);
	return -EIO;
}

static int feature(int fd, struct ifreq *ifr, uint32_t set, uint32_t get,
		   uint32_t on)
{
	struct ethtool_value value = { .cmd = set, .data = on };

	ifr->ifr_data = (void *)&value;
	if (ioctl(fd, SIOCETHTOOL, ifr))
		return -errno;
	value.cmd = get;
	if (ioctl(fd, SIOCETHTOOL, ifr))
		return -errno;
	return value.data == on ? 0 : -EINVAL;
}

static int set_offload(enum veth_offload offload)
{
	bool sg = offload == VETH_ALL || offload == VETH_GRO;
	bool gro = offload == VETH_GRO || offload == VETH_GRO_NO_SG;
	struct ifreq ifr = { .ifr_name = "v" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ret;

	if (fd < 0)
		return -errno;
	ret = feature(fd, &ifr, ETHTOOL_STSO, ETHTOOL_GTSO,
		      offload == VETH_ALL);
	if (!ret)
		ret = feature(fd, &ifr, ETHTOOL_SSG, ETHTOOL_GSG, sg);
	if (!ret)
		ret = feature(fd, &ifr, ETHTOOL_SGRO, ETHTOOL_GGRO, gro);
	close(fd);
	return ret;
}

int veth_enter(const struct veth *v, int end)
{
	return setns(v->ns[end], CLONE_NEWNET) ? -errno : 0;
}

static int new_netns(int *fd)
{
	int ret = nsttest_netns();

	if (ret)
		return ret;
	*fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

static int set_up_end(const struct veth *v, int end,
		      const struct veth_conf *conf)
{
	int ret = veth_enter(v, end);

	if (!ret)
		ret = run("ip addr add 10.9.0.%d/24 dev v", end + 1);
	if (!ret && conf->mtu >= 1280)
		ret = run("ip addr add fd00::%d/64 dev v nodad", end + 1);
	if (!ret)
		ret = run("ip link set v up");
	if (!ret && conf->netem)
		ret = run("tc qdisc add dev v root netem %s", conf->netem);
	/* A veth's GRO begins when it is asked for on a device that is up. */
	return ret ?: set_offload(conf->offload);
}

int veth_open(struct veth *v, const struct veth_conf *conf)
{
	int i, ret;

	v->ns[0] = -1;
	v->ns[1] = -1;
	ret = new_netns(&v->ns[0]);
	if (!ret)
		ret = new_netns(&v->ns[1]);
	if (!ret)
		ret = run("ip link add v mtu %d type veth peer name v mtu %d netns /proc/%d/fd/%d",
			  conf->mtu, conf->mtu, getpid(), v->ns[0]);
	for (i = 0; i < 2 && !ret; i++)
		ret = set_up_end(v, i, conf);
	return ret;
}

void veth_close(struct veth *v)
{
	int i;

	for (i = 0; i < 2; i++)
		if (v->ns[i] >= 0)
			close(v->ns[i]);
}

socklen_t veth_address(struct sockaddr_storage *ss, int family, int port)
{
	struct sockaddr_in6 *in6 = (void *)ss;
	struct sockaddr_in *in = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET6) {
		inet_pton(AF_INET6, "fd00::2", &in6->sin6_addr);
		in6->sin6_port = htons(port);
		return sizeof(*in6);
	}
	inet_pton(AF_INET, "10.9.0.2", &in->sin_addr);
	in->sin_port = htons(port);
	return sizeof(*in);
}

static int new_socket(int family, int rcvbuf, int sndbuf)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0)
		return -errno;
	if ((rcvbuf && tcptest_set_int(fd, SOL_SOCKET, SO_RCVBUF, rcvbuf)) ||
	    (sndbuf && tcptest_set_int(fd, SOL_SOCKET, SO_SNDBUF, sndbuf)) ||
	    tcptest_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	    tcptest_timeout(fd, SO_RCVTIMEO, TIMEOUT_MS) ||
	    tcptest_timeout(fd, SO_SNDTIMEO, TIMEOUT_MS)) {
		close(fd);
		return -EIO;
	}
	return fd;
}

int veth_connect(const struct veth *v, int family, int rcvbuf, int sndbuf,
		 int *a, int *b)
{
	struct sockaddr_storage ss;
	socklen_t len = veth_address(&ss, family, 7000);
	int ret, lis = -1;

	*a = -1;
	*b = -1;
	ret = veth_enter(v, 1);
	if (!ret)
		lis = new_socket(family, rcvbuf, sndbuf);
	if (lis < 0)
		return ret ?: lis;
	if (bind(lis, (void *)&ss, len) || listen(lis, 1))
		ret = -errno;
	if (!ret)
		ret = veth_enter(v, 0);
	if (!ret)
		*a = new_socket(family, rcvbuf, sndbuf);
	if (!ret && (*a < 0 || connect(*a, (void *)&ss, len)))
		ret = -errno;
	if (!ret)
		*b = accept(lis, NULL, NULL);
	if (!ret && *b < 0)
		ret = -errno;
	if (!ret)
		ret = tcptest_timeout(*b, SO_RCVTIMEO, TIMEOUT_MS);
	if (!ret)
		ret = tcptest_timeout(*b, SO_SNDTIMEO, TIMEOUT_MS);
	close(lis);
	return ret;
}

int shape_reset(void)
{
	return nsttest_write_file("/proc/nst_shape", "0");
}

int shape_unmark(void)
{
	return nsttest_write_file("/proc/nst_shape", "unmark");
}

long shape_get(const char *name)
{
	return nsttest_find("/proc/nst_shape", name);
}

// SPDX-License-Identifier: GPL-2.0
/* What the tests of a TCP socket's behaviour share. See tcptest.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "tcptest.h"

#define CHUNK_MAX	65536

int tcptest_key(int fd, const struct tcptest_conf *conf, uint32_t role)
{
	struct nsttest_conf c = {
		.cipher_id = conf->cipher_id,
		.nr_keys = NSTTEST_KEYS,
		.flags = role | (conf->strict ? NST_F_STRICT : 0),
	};
	int ret = nsttest_attach(fd);

	return ret ?: nsttest_install(fd, &c);
}

int tcptest_settle(int fd)
{
	return tcptest_poll(fd, POLLOUT, TCPTEST_SOON_MS) & POLLOUT ?
		0 : -ETIMEDOUT;
}

int tcptest_pair(const struct tcptest_conf *conf, int *a, int *b)
{
	int ret;

	ret = nsttest_pair(conf->family, 0, b, a);
	if (!ret)
		ret = tcptest_key(*a, conf, NST_F_INITIATOR);
	if (!ret)
		ret = tcptest_key(*b, conf, NST_F_RESPONDER);
	if (!ret)
		ret = tcptest_settle(*a);
	return ret ?: tcptest_settle(*b);
}

int tcptest_proxy_open(struct tcptest_proxy *p,
		       const struct tcptest_conf *conf)
{
	int ret = nsttest_pair(conf->family, 0, &p->a_raw, &p->a);

	return ret ?: nsttest_pair(conf->family, 0, &p->b, &p->b_raw);
}

void tcptest_proxy_close(struct tcptest_proxy *p)
{
	close(p->a);
	close(p->a_raw);
	close(p->b_raw);
	close(p->b);
}

ssize_t tcptest_fetch(int raw, uint8_t *buf, size_t size, int ms)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && tcptest_poll(raw, POLLIN, ms)) {
		n = recv(raw, buf + len, size - len, MSG_DONTWAIT);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += n;
	}
	return len;
}

int tcptest_proxy_pump(struct tcptest_proxy *p, int ms)
{
	struct pollfd pfd[2] = {
		{ .fd = p->a_raw, .events = POLLIN },
		{ .fd = p->b_raw, .events = POLLIN },
	};
	uint8_t buf[4096];
	ssize_t n;
	int i, ret;

	while (poll(pfd, 2, ms) > 0) {
		for (i = 0; i < 2; i++) {
			if (!pfd[i].revents)
				continue;
			n = recv(pfd[i].fd, buf, sizeof(buf), MSG_DONTWAIT);
			if (n <= 0)
				return n ? -errno : -EPIPE;
			ret = peer_write(pfd[!i].fd, buf, n);
			if (ret)
				return ret;
		}
	}
	return 0;
}

int tcptest_proxy_settle(struct tcptest_proxy *p)
{
	int i, ret;

	for (i = 0; i < TCPTEST_SOON_MS / 20; i++) {
		ret = tcptest_proxy_pump(p, 20);
		if (ret)
			return ret;
		if (tcptest_poll(p->a, POLLOUT, 0) & POLLOUT &&
		    tcptest_poll(p->b, POLLOUT, 0) & POLLOUT)
			return 0;
	}
	return -ETIMEDOUT;
}

int tcptest_bind(int a, int b)
{
	int ret;

	ret = tcptest_send(a, 0, 1, 1);
	if (!ret)
		ret = tcptest_recv(b, 0, 1, 1);
	if (!ret)
		ret = tcptest_send(b, 0, 1, 1);
	if (!ret)
		ret = tcptest_recv(a, 0, 1, 1);
	return ret;
}

static uint8_t pattern(size_t at)
{
	return at * 31 + (at >> 8) * 7 + (at >> 16);
}

void tcptest_fill(void *buf, size_t len, size_t from)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = pattern(from + i);
}

bool tcptest_same(const void *buf, size_t len, size_t from)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] == pattern(from + i))
			continue;
		fprintf(stderr, "# byte %zu of the stream is wrong (%zu of %zu)\n",
			from + i, i, len);
		return false;
	}
	return true;
}

int tcptest_send(int fd, size_t from, size_t len, size_t chunk)
{
	uint8_t buf[CHUNK_MAX];
	size_t n, at;
	ssize_t ret;

	if (chunk > sizeof(buf))
		chunk = sizeof(buf);
	while (len) {
		n = len < chunk ? len : chunk;
		tcptest_fill(buf, n, from);
		for (at = 0; at < n; at += ret) {
			ret = send(fd, buf + at, n - at, MSG_NOSIGNAL);
			if (ret <= 0)
				return ret ? -errno : -EIO;
		}
		from += n;
		len -= n;
	}
	return 0;
}

int tcptest_recv(int fd, size_t from, size_t len, size_t chunk)
{
	uint8_t buf[CHUNK_MAX];
	ssize_t n;

	if (chunk > sizeof(buf))
		chunk = sizeof(buf);
	while (len) {
		n = recv(fd, buf, len < chunk ? len : chunk, 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		if (!tcptest_same(buf, n, from))
			return -EILSEQ;
		from += n;
		len -= n;
	}
	return 0;
}

pid_t tcptest_sender(int fd, size_t from, size_t len, size_t chunk)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-tcptest_send(fd, from, len, chunk));
	return pid;
}

pid_t tcptest_receiver(int fd, size_t from, size_t len, size_t chunk)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-tcptest_recv(fd, from, len, chunk));
	return pid;
}

int tcptest_reap(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -ECHILD;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

ssize_t tcptest_send_type(int fd, uint8_t type, const void *buf, size_t len,
			  int flags)
{
	union {
		char buf[CMSG_SPACE(1)];
		struct cmsghdr align;
	} ctl = {};
	struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	cmsg->cmsg_level = SOL_NST;
	cmsg->cmsg_type = NST_SET_RECORD_TYPE;
	cmsg->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(cmsg) = type;
	n = sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

ssize_t tcptest_recv_type(int fd, int *type, void *buf, size_t len,
			  int flags)
{
	union {
		char buf[CMSG_SPACE(1)];
		struct cmsghdr align;
	} ctl = {};
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf),
	};
	struct cmsghdr *cmsg;
	ssize_t n;

	*type = -1;
	n = recvmsg(fd, &msg, flags);
	if (n < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_NST &&
	    cmsg->cmsg_type == NST_GET_RECORD_TYPE &&
	    cmsg->cmsg_len == CMSG_LEN(1))
		*type = *CMSG_DATA(cmsg);
	return n;
}

ssize_t tcptest_recv_flags(int fd, void *buf, size_t len, int flags,
			   int *out_flags)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(fd, &msg, flags);

	if (out_flags)
		*out_flags = msg.msg_flags;
	return n < 0 ? -errno : n;
}

int tcptest_poll(int fd, short events, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	if (poll(&pfd, 1, ms) < 0)
		return 0;
	return pfd.revents;
}

int tcptest_arrived(int fd, size_t len)
{
	uint8_t *buf = malloc(len);
	int i, ret = -ETIMEDOUT;
	ssize_t n;

	for (i = 0; buf && i < TCPTEST_SOON_MS / 10; i++) {
		n = recv(fd, buf, len, MSG_PEEK | MSG_DONTWAIT);
		if (n == (ssize_t)len)
			ret = 0;
		if (n == (ssize_t)len || (n < 0 && errno != EAGAIN))
			break;
		usleep(10000);
	}
	free(buf);
	return ret;
}

/* How often @tid has gone to sleep, -1 if it is awake now. */
static long sleeps(pid_t tid)
{
	char path[64], line[128], state = 0;
	long n, sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "State: %c", &state) == 1)
			continue;
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %ld", &n) == 1)
			sum += n;
	}
	if (f)
		fclose(f);
	/* 'D': for a lock. */
	return state == 'S' || state == 'D' ? sum : -1;
}

/*
 * Asleep is also who waits for the next acknowledgment or for a page; so it has
 * to be the same sleep for a while.
 */
int tcptest_asleep(pid_t tid)
{
	int i, still = 0, enough = nsttest_patience(10);
	long last = -1, n;

	for (i = 0; i < TCPTEST_SOON_MS / 10 && still < enough; i++) {
		usleep(10000);
		n = sleeps(tid);
		still = n >= 0 && n == last ? still + 1 : 0;
		last = n;
	}
	return still < enough ? -ETIMEDOUT : 0;
}

int tcptest_state(int fd, int state)
{
	struct tcp_info info;
	socklen_t len;
	int i;

	for (i = 0; i < TCPTEST_SOON_MS / 10; i++) {
		len = sizeof(info);
		if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len))
			return -errno;
		if (info.tcpi_state == state)
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

int tcptest_set_int(int fd, int level, int opt, int value)
{
	return setsockopt(fd, level, opt, &value, sizeof(value)) ? -errno : 0;
}

int tcptest_timeout(int fd, int opt, int ms)
{
	struct timeval tv = {
		.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000,
	};

	return setsockopt(fd, SOL_SOCKET, opt, &tv, sizeof(tv)) ? -errno : 0;
}

int tcptest_record_max(int fd, uint32_t max)
{
	return setsockopt(fd, SOL_NST, NST_RECORD_MAX, &max, sizeof(max)) ?
		-errno : 0;
}

int tcptest_info(int fd, struct nst_info *info)
{
	socklen_t len = sizeof(*info);

	if (getsockopt(fd, SOL_NST, NST_INFO, info, &len))
		return -errno;
	return len == sizeof(*info) ? 0 : -EMSGSIZE;
}

ssize_t tcptest_sendv(int fd, size_t from, size_t nr, size_t size, int flags)
{
	struct iovec *iov = calloc(nr, sizeof(*iov));
	uint8_t *buf = malloc(nr * size);
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = nr };
	ssize_t n;
	size_t i;

	if (!iov || !buf)
		return -ENOMEM;
	tcptest_fill(buf, nr * size, from);
	for (i = 0; i < nr; i++) {
		iov[i].iov_base = buf + i * size;
		iov[i].iov_len = size;
	}
	n = sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
	n = n < 0 ? -errno : n;
	free(buf);
	free(iov);
	return n;
}

int tcptest_hole_open(struct tcptest_hole *hole)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	hole->fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (hole->fd < 0 || ioctl(hole->fd, UFFDIO_API, &api))
		return -errno;
	hole->mem = mmap(NULL, TCPTEST_HOLE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (hole->mem == MAP_FAILED)
		return -errno;
	reg.range.start = (uintptr_t)hole->mem;
	reg.range.len = TCPTEST_HOLE;
	return ioctl(hole->fd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

int tcptest_hole_fill(struct tcptest_hole *hole, char c)
{
	static char page[TCPTEST_HOLE] __attribute__((aligned(TCPTEST_HOLE)));
	struct uffdio_copy copy = {
		.dst = (uintptr_t)hole->mem, .src = (uintptr_t)page,
		.len = sizeof(page),
	};

	memset(page, c, sizeof(page));
	return ioctl(hole->fd, UFFDIO_COPY, &copy) ? -errno : 0;
}

void tcptest_hole_close(struct tcptest_hole *hole)
{
	munmap(hole->mem, TCPTEST_HOLE);
	close(hole->fd);
}

// SPDX-License-Identifier: GPL-2.0
/* What tests of hostile input share. See nsttest.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "nsttest.h"

const struct peer_secret nsttest_box[NSTTEST_KEYS] = {
	{ NSTTEST_KID, "a key of the tests, 32 bytes lon" },
	{ NSTTEST_KID_OTHER, "and one more key, as long as tha" },
};

void nsttest_fill(struct nsttest_info *ti, uint8_t cipher_id)
{
	int i;

	memset(ti, 0, sizeof(*ti));
	ti->info.version = NST_VERSION;
	ti->info.cipher_id = cipher_id;
	ti->info.nr_keys = NSTTEST_KEYS;
	for (i = 0; i < NSTTEST_KEYS; i++) {
		ti->keys[i].kid = nsttest_box[i].kid;
		memcpy(ti->keys[i].key, nsttest_box[i].key, NST_KEY_SIZE);
	}
}

int nsttest_attach(int fd)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, "nst", 3) ? -errno : 0;
}

static int install_one(int fd, int opt, uint8_t cipher_id, uint16_t kid,
		       const struct nsttest_conf *conf)
{
	struct nsttest_info ti;

	nsttest_fill(&ti, cipher_id);
	ti.info.kid = kid;
	ti.info.flags = conf->flags;
	ti.info.nr_keys = conf->nr_keys;
	if (conf->context) {
		ti.info.context_len = strlen(conf->context);
		memcpy(ti.info.context, conf->context, ti.info.context_len);
	}
	return setsockopt(fd, SOL_NST, opt, &ti, sizeof(ti.info) +
			  conf->nr_keys * sizeof(ti.keys[0])) ? -errno : 0;
}

int nsttest_install(int fd, const struct nsttest_conf *conf)
{
	int ret;

	ret = install_one(fd, NST_TX, conf->cipher_id, 0, conf);
	if (ret)
		return ret;
	return install_one(fd, NST_RX, conf->rx_cipher, conf->rx_kid, conf);
}

socklen_t nsttest_loopback(struct sockaddr_storage *ss, int family,
			   uint16_t port)
{
	struct sockaddr_in6 *in6 = (void *)ss;
	struct sockaddr_in *in = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET6) {
		in6->sin6_addr = in6addr_loopback;
		in6->sin6_port = htons(port);
		return sizeof(*in6);
	}
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->sin_port = htons(port);
	return sizeof(*in);
}

static int set_timeouts(int fd)
{
	struct timeval tv = { .tv_sec = NSTTEST_TIMEOUT };
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) ||
	    setsockopt(fd, SOL_TCP, TCP_NODELAY, &one, sizeof(one)))
		return -errno;
	return 0;
}

int nsttest_pair(int family, int rcvbuf, int *kern, int *raw)
{
	return nsttest_pair_mss(family, rcvbuf, 0, kern, raw);
}

int nsttest_pair_mss(int family, int rcvbuf, int mss, int *kern, int *raw)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int ret, lis;

	*kern = -1;
	*raw = socket(family, SOCK_STREAM, 0);
	lis = socket(family, SOCK_STREAM, 0);
	len = nsttest_loopback(&ss, family, 0);
	ret = -1;
	if (lis < 0 || *raw < 0)
		goto out;
	if (rcvbuf && setsockopt(lis, SOL_SOCKET, SO_RCVBUF, &rcvbuf,
				 sizeof(rcvbuf)))
		goto out;
	if (mss && setsockopt(lis, SOL_TCP, TCP_MAXSEG, &mss, sizeof(mss)))
		goto out;
	if (bind(lis, (void *)&ss, len) || listen(lis, 1) ||
	    getsockname(lis, (void *)&ss, &len) ||
	    connect(*raw, (void *)&ss, len))
		goto out;
	*kern = accept(lis, NULL, NULL);
	if (*kern >= 0)
		ret = 0;
out:
	ret = ret ? -errno : 0;
	if (lis >= 0)
		close(lis);
	if (!ret)
		ret = set_timeouts(*kern);
	if (!ret)
		ret = set_timeouts(*raw);
	return ret;
}

int nsttest_netns(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd, ret;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return -errno;
	ifr.ifr_flags = IFF_UP;
	ret = ioctl(fd, SIOCSIFFLAGS, &ifr) ? -errno : 0;
	close(fd);
	return ret;
}

int nsttest_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = -errno;
	close(fd);
	return ret;
}

#define TRACING	"/sys/kernel/tracing/"
#define PROBE	"nst_test_calls"

int nsttest_count_calls(const char *function)
{
	char text[96];

	mount("none", TRACING, "tracefs", 0, NULL);
	if (access(TRACING "kprobe_events", F_OK))
		return -ENOENT;
	snprintf(text, sizeof(text), "p:" PROBE " %s", function);
	return nsttest_write_file(TRACING "kprobe_events", text) ?:
	       nsttest_write_file(TRACING "events/kprobes/" PROBE "/enable",
				  "1");
}

long nsttest_calls(void)
{
	FILE *f = fopen(TRACING "kprobe_profile", "r");
	char name[64];
	long n = -1, hits;

	while (f && fscanf(f, "%63s %ld %*d", name, &hits) == 2)
		if (!strcmp(name, PROBE))
			n = hits;
	if (f)
		fclose(f);
	return n;
}

void nsttest_count_no_more(void)
{
	nsttest_write_file(TRACING "events/kprobes/" PROBE "/enable", "0");
	nsttest_write_file(TRACING "kprobe_events", "-:" PROBE);
}

static const char *const names[NST_DROP_MAX] = {
#define X(sym, name, err) [NST_DROP_##sym] = name,
	NST_DROP_LIST(X)
#undef X
};

long nsttest_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

int nsttest_counters(struct nsttest_counters *c)
{
	unsigned int i, found = 0;
	uint64_t value;
	char name[64];
	FILE *f;

	memset(c, 0, sizeof(*c));
	f = fopen("/proc/thread-self/net/nst_stat", "r");
	if (!f)
		return -errno;
	while (fscanf(f, "%63s %" SCNu64, name, &value) == 2) {
		for (i = 1; i < NST_DROP_MAX; i++) {
			if (strcmp(name, names[i]))
				continue;
			c->value[i] = value;
			found++;
		}
	}
	fclose(f);
	return found == NST_DROP_MAX - 1 ? 0 : -ENOENT;
}

long nsttest_find(const char *path, const char *name)
{
	FILE *f = fopen(path, "r");
	char line[128], word[64];
	long value, found = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63[^: \t]%*[: \t]%ld", word, &value) == 2 &&
		    !strcmp(word, name))
			found = value;
	if (f)
		fclose(f);
	return found;
}

long nsttest_stat(const char *name)
{
	return nsttest_find("/proc/thread-self/net/nst_stat", name);
}

/* A line with names and the same word before them comes before the values. */
long nsttest_mib(const char *path, const char *group, const char *name)
{
	char names[8192] = "", values[8192] = "", *n, *v, *np, *vp;
	FILE *f = fopen(path, "r");
	long found = -1;

	while (f && strncmp(names, group, strlen(group)) &&
	       fgets(names, sizeof(names), f))
		;
	if (f && fgets(values, sizeof(values), f)) {
		n = strtok_r(names, "\n ", &np);
		v = strtok_r(values, "\n ", &vp);
		while (n && v && strcmp(n, name)) {
			n = strtok_r(NULL, "\n ", &np);
			v = strtok_r(NULL, "\n ", &vp);
		}
		if (n && v)
			found = atol(v);
	}
	if (f)
		fclose(f);
	return found;
}

long nsttest_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const char *nsttest_grown(const struct nsttest_counters *before)
{
	struct nsttest_counters now;
	static char text[512];
	size_t len = 0;
	unsigned int i;

	if (nsttest_counters(&now))
		return "unreadable";
	text[0] = '\0';
	for (i = 1; i < NST_DROP_MAX; i++) {
		if (now.value[i] == before->value[i] || len >= sizeof(text))
			continue;
		len += snprintf(text + len, sizeof(text) - len,
				"%s%s+%" PRIu64, len ? " " : "", names[i],
				now.value[i] - before->value[i]);
	}
	return text;
}

int nsttest_drain(int fd)
{
	char buf[4096];
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), 0);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n ? -errno : 0;
}

static int compare_ints(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int nsttest_median(int *values, int nr)
{
	qsort(values, nr, sizeof(*values), compare_ints);
	return values[nr / 2];
}

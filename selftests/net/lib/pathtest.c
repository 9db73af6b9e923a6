// SPDX-License-Identifier: GPL-2.0
/* Streams between two namespaces. See pathtest.h. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>

#include "pathtest.h"

uint64_t path_random(struct path_random *r)
{
	uint64_t x = r->state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

void path_seed(struct path_random *r)
{
	const char *text = getenv("NST_SEED");

	if (text)
		r->state = strtoull(text, NULL, 0);
	else
		peer_random(&r->state, sizeof(r->state));
	printf("# NST_SEED=0x%" PRIx64 "\n", r->state);
	fflush(stdout);
}

void path_number(unsigned int *number, int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : getenv("NST_NUMBER");

	if (text)
		*number = strtoul(text, NULL, 0);
}

unsigned int path_range(struct path_random *r, unsigned int from,
			unsigned int to)
{
	return from + path_random(r) % ((uint64_t)to - from + 1);
}

bool path_once_in(struct path_random *r, unsigned int n)
{
	return !(path_random(r) % n);
}

struct path_random path_fork(const struct path_random *r, uint64_t nr)
{
	struct path_random other = { r->state ^ (nr + 1) * 0xd6e8feb86659fd93ull };

	other.state = path_random(&other);
	return other;
}

static int load_box(const struct path *p, int end, struct talk *t)
{
	int ret = veth_enter(&p->v, end);

	if (ret)
		return ret;
	if (nl_open(t))
		return -EIO;
	nl_begin(t, t->family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(t, 1, NST_STATE_ACTIVE, 1);
	nl_put_nest(t, 2, NST_STATE_ACCEPT, 2);
	return -nl_talk(t);
}

int path_open(struct path *p, const struct veth_conf *conf)
{
	int i, ret = veth_open(&p->v, conf);

	for (i = 0; i < 2 && !ret; i++)
		ret = load_box(p, i, &p->t[i]);
	return ret;
}

void path_close(struct path *p)
{
	nl_close(&p->t[0]);
	nl_close(&p->t[1]);
	veth_close(&p->v);
}

int path_activate(struct path *p, uint16_t kid)
{
	int ret = nl_kid(&p->t[0], NST_CMD_KEY_ACTIVATE, kid);

	return -(ret ?: nl_kid(&p->t[1], NST_CMD_KEY_ACTIVATE, kid));
}

/* @command in both namespaces, in a child; what it prints is told. */
static int in_both(const struct path *p, const char *command)
{
	int i, ret = 0;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		pid = fork();
		if (!pid)
			_exit(veth_enter(&p->v, i) || system(command));
		ret = tcptest_reap(pid) ?: ret;
	}
	return ret;
}

int path_heal(const struct path *p)
{
	return in_both(p, "tc qdisc del dev v root 2>/dev/null");
}

int path_key(int fd, const struct path_conf *conf, uint32_t role)
{
	struct nsttest_conf c = {
		.cipher_id = conf->cipher_id,
		.flags = role | (conf->strict ? NST_F_STRICT : 0),
	};
	int ret = nsttest_attach(fd);

	return ret ?: nsttest_install(fd, &c);
}

static int new_socket(const struct path *p, int end,
		      const struct path_conf *conf)
{
	int ret = veth_enter(&p->v, end), fd;

	if (ret)
		return ret;
	fd = socket(conf->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (conf->rcvbuf)
		ret = tcptest_set_int(fd, SOL_SOCKET, SO_RCVBUF, conf->rcvbuf);
	if (!ret && conf->sndbuf)
		ret = tcptest_set_int(fd, SOL_SOCKET, SO_SNDBUF, conf->sndbuf);
	if (!ret && !conf->late)
		ret = path_key(fd, conf, 0);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

static int both_late(const struct path_conf *conf, int a, int b)
{
	int ret = path_key(a, conf, NST_F_INITIATOR);

	return ret ?: path_key(b, conf, NST_F_RESPONDER);
}

int path_connect(const struct path *p, const struct path_conf *conf, int *a,
		 int *b)
{
	struct sockaddr_storage ss;
	socklen_t len = veth_address(&ss, conf->family, 0);
	int ret = 0, lis = new_socket(p, 1, conf);

	*b = -1;
	*a = new_socket(p, 0, conf);
	if (lis < 0 || *a < 0) {
		ret = lis < 0 ? lis : *a;
		goto out;
	}
	if (bind(lis, (void *)&ss, len) || listen(lis, 1) ||
	    getsockname(lis, (void *)&ss, &len) ||
	    connect(*a, (void *)&ss, len))
		ret = -errno;
	if (!ret)
		*b = accept4(lis, NULL, NULL, SOCK_CLOEXEC);
	if (!ret && *b < 0)
		ret = -errno;
	if (!ret && conf->late)
		ret = both_late(conf, *a, *b);
out:
	if (lis >= 0)
		close(lis);
	return ret;
}

static void tell_file(const char *name, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[256];

	fprintf(stderr, "# %s\n", name);
	while (f && fgets(line, sizeof(line), f))
		fprintf(stderr, "#   %s", line);
	if (f)
		fclose(f);
}

static void tell_stacks(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *de;
	char path[300];

	while (dir && (de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/stack",
			 de->d_name);
		tell_file(de->d_name, path);
	}
	if (dir)
		closedir(dir);
}

void path_tell(const struct path *p)
{
	tell_stacks();
	in_both(p, "ss -tinmo 2>&1 | sed 's/^/# /' >&2");
	in_both(p, "sed 's/^/# /' /proc/net/nst_stat | grep -v ' 0$' >&2");
	in_both(p, "sed 's/^/# /' /proc/net/netstat /proc/net/snmp >&2");
}

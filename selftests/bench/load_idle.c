// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of connections that were used once and are idle since: what they
 * take as plain TCP, and what keys and a round trip add. For a fresh guest,
 * where nothing given back by others can be reused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../nst_ulp/limits.h"
#include "load.h"

struct memory {
	long free;	/* in the zones and in the caches before them */
	long slab;
	long percpu;
};

/* Adds up the values, in KiB, of the lines that start with name. */
static long sum_lines(const char *path, const char *name, long unit)
{
	long sum = 0;
	char line[200], *p;
	FILE *f = fopen(path, "r");

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		p = line + strspn(line, " ");
		if (!strncmp(p, name, strlen(name)))
			sum += strtol(p + strlen(name), NULL, 10) * unit;
	}
	fclose(f);
	return sum;
}

/*
 * Until all is idle and NST has noticed it: two looks, NST_IDLE_SECONDS and up to
 * a second apart. What is freed later by RCU is free by then, too.
 */
#define SETTLE		(2 * NST_IDLE_SECONDS + 5)

static struct memory memory_now(void)
{
	sleep(SETTLE);
	return (struct memory){
		.free = sum_lines("/proc/meminfo", "MemFree:", 1) +
			sum_lines("/proc/zoneinfo", "count:", 4),
		.slab = sum_lines("/proc/meminfo", "Slab:", 1),
		.percpu = sum_lines("/proc/meminfo", "Percpu:", 1),
	};
}

/* One line of /proc/slabinfo. */
struct cache {
	char name[64];
	long objects;
	long size;
};

#define NR_CACHES	400

static size_t caches_now(struct cache *c)
{
	char line[400];
	size_t n = 0;
	FILE *f = fopen("/proc/slabinfo", "r");

	if (!f)
		return 0;
	while (n < NR_CACHES && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld %*d %ld", c[n].name, &c[n].objects,
			   &c[n].size) == 3)
			n++;
	fclose(f);
	return n;
}

/* Which caches grew by an object for every other connection or more. */
static void print_caches(const char *mode_name, size_t count,
			 const struct cache *before, size_t n)
{
	static struct cache after[NR_CACHES];
	size_t i, j, m = caches_now(after);
	long more;

	for (i = 0; i < m; i++) {
		for (j = 0; j < n && strcmp(before[j].name, after[i].name);)
			j++;
		more = after[i].objects - (j < n ? before[j].objects : 0);
		if (more < (long)count / 2)
			continue;
		printf("cache %s %s size=%ld objects=%.2f\n", mode_name,
		       after[i].name, after[i].size, (double)more / count);
	}
}

void idle_measure(enum mode mode, const char *mode_name, size_t count)
{
	struct rlimit files = { 2 * count + 100, 2 * count + 100 };
	int (*fd)[2] = calloc(count, sizeof(*fd));
	static struct cache caches[NR_CACHES];
	struct memory none, plain, keyed;
	struct sockaddr_in addr;
	int listener = listen_socket(&addr);
	size_t i, nr_caches;

	if (!fd || setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("descriptors");
	memset(fd, 1, count * sizeof(*fd));
	none = memory_now();
	for (i = 0; i < count; i++) {
		connect_pair(listener, &addr, &fd[i][0], &fd[i][1]);
		round_trip(fd[i][0], fd[i][1]);
	}
	plain = memory_now();
	nr_caches = caches_now(caches);
	for (i = 0; i < count; i++) {
		key_socket(fd[i][0], mode);
		key_socket(fd[i][1], mode);
		round_trip(fd[i][0], fd[i][1]);
	}
	keyed = memory_now();
	print_caches(mode_name, count, caches, nr_caches);
	printf("load %s idle 0 calls=%zu base=%ld added=%ld slab=%ld percpu=%ld\n",
	       mode_name, count,
	       (none.free - plain.free) * 1024 / (long)count,
	       (plain.free - keyed.free) * 1024 / (long)count,
	       (keyed.slab - plain.slab) * 1024 / (long)count,
	       (keyed.percpu - plain.percpu) * 1024 / (long)count);
}

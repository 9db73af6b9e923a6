// SPDX-License-Identifier: GPL-2.0
/* What is sent. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "payload.h"
#include "trouble.h"

static char *pattern;

/* A line with its own number, filled up with what an xorshift generator gives. */
static void fill_line(char line[64], unsigned int nr)
{
	uint32_t x = nr * 2654435761U + 1;
	int at = snprintf(line, 64, PAYLOAD_MARK " %04x ", nr);

	for (; at < 64; at++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		line[at] = ' ' + x % 95;
	}
}

int payload_init(void)
{
	size_t size = PAYLOAD_PERIOD + PAYLOAD_SPAN, at, n;
	char line[64];

	if (pattern)
		return 0;
	pattern = malloc(size);
	if (!pattern)
		return trouble("no memory");
	for (at = 0; at < PAYLOAD_PERIOD; at += n) {
		fill_line(line, at / sizeof(line));
		n = PAYLOAD_PERIOD - at < sizeof(line) ? PAYLOAD_PERIOD - at :
			sizeof(line);
		memcpy(pattern + at, line, n);
	}
	for (; at < size; at++)
		pattern[at] = pattern[at - PAYLOAD_PERIOD];
	return 0;
}

const char *payload_at(uint64_t position)
{
	return pattern + position % PAYLOAD_PERIOD;
}

int payload_check(const char *buf, size_t len, uint64_t position)
{
	const char *want;
	size_t n, i;

	for (; len; buf += n, len -= n, position += n) {
		n = len < PAYLOAD_SPAN ? len : PAYLOAD_SPAN;
		want = payload_at(position);
		if (!memcmp(buf, want, n))
			continue;
		for (i = 0; buf[i] == want[i]; i++)
			;
		return trouble("byte %llu is not what was sent",
			       (unsigned long long)position + i);
	}
	return 0;
}

int payload_check_file(const char *buf, size_t len, uint64_t position,
		       uint64_t size)
{
	uint64_t at;
	size_t n;

	if (!size)
		return payload_check(buf, len, position);
	for (; len; buf += n, len -= n, position += n) {
		at = position % size;
		n = len < size - at ? len : size - at;
		if (payload_check(buf, n, at))
			return -1;
	}
	return 0;
}

/* Asked before, so that nobody else's disk is full meanwhile. */
static int has_room(int fd, uint64_t size)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) || !fs.f_blocks)
		return 1;
	errno = ENOSPC;
	return size / 9 * 10 < (uint64_t)fs.f_bavail * fs.f_frsize;
}

static int fill_file(int fd, uint64_t size, const volatile int *stop)
{
	uint64_t at;
	size_t n;
	ssize_t did;

	for (at = 0; at < size; at += did) {
		if (*stop) {
			errno = EINTR;
			return -1;
		}
		n = size - at < PAYLOAD_SPAN ? size - at : PAYLOAD_SPAN;
		did = write(fd, payload_at(at), n);
		if (did < 0 && errno == EINTR)
			did = 0;
		if (did < 0)
			return -1;
	}
	return 0;
}

int payload_file(const char *dir, uint64_t size, const volatile int *stop)
{
	char name[4096];
	int fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		snprintf(name, sizeof(name), "%s/nstperf.XXXXXX", dir);
		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0)
			unlink(name);
	}
	if (fd < 0)
		return trouble("cannot make a file in %s: %s", dir,
			       strerror(errno));
	if (!has_room(fd, size) || fill_file(fd, size, stop)) {
		trouble("cannot write a file of %llu bytes in %s: %s",
			(unsigned long long)size, dir, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

// SPDX-License-Identifier: GPL-2.0
/* Looking for a secret in all that the program can write to. See memscan.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "memscan.h"

#define CHUNK	65536
#define OVERLAP	MEMSCAN_BYTES
#define PIECE	12	/* so many bytes of a secret are not there by chance */

static uint8_t window[CHUNK + OVERLAP];

static bool is_piece(const uint8_t *at, const uint8_t *inverted)
{
	unsigned int from, i;

	for (from = 0; from + PIECE <= MEMSCAN_BYTES; from++) {
		for (i = 0; i < PIECE; i++)
			if ((at[i] ^ inverted[from + i]) != 0xff)
				break;
		if (i == PIECE)
			return true;
	}
	return false;
}

/* Between two addresses. */
static unsigned int count_in(int mem, unsigned long from, unsigned long to,
			     const uint8_t *inverted)
{
	unsigned int found = 0;
	ssize_t n, i;

	while (from < to) {
		n = to - from < sizeof(window) ? to - from : sizeof(window);
		n = pread(mem, window, n, from);
		if (n <= PIECE)
			break;
		for (i = 0; i + PIECE <= n; i++)
			found += is_piece(window + i, inverted);
		explicit_bzero(window, sizeof(window));
		from += n > OVERLAP ? n - OVERLAP : n;
		if (from + OVERLAP >= to)
			break;
	}
	return found;
}

int memscan_count(const uint8_t inverted[MEMSCAN_BYTES])
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int mem = open("/proc/self/mem", O_RDONLY);
	unsigned long from, to;
	unsigned int found = 0;
	char line[512], mode[8];

	if (!maps || mem < 0)
		return -1;
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 &&
		    mode[1] == 'w')
			found += count_in(mem, from, to, inverted);
	fclose(maps);
	close(mem);
	return found;
}

static struct {
	ucontext_t here;
	ucontext_t there;
	void (*fn)(void *arg);
	void *arg;
	char stack[262144];
} apart;

static void enter(void)
{
	apart.fn(apart.arg);
}

int memscan_apart(void (*fn)(void *arg), void *arg)
{
	apart.fn = fn;
	apart.arg = arg;
	explicit_bzero(apart.stack, sizeof(apart.stack));
	if (getcontext(&apart.there))
		return -1;
	apart.there.uc_link = &apart.here;
	apart.there.uc_stack.ss_sp = apart.stack;
	apart.there.uc_stack.ss_size = sizeof(apart.stack);
	makecontext(&apart.there, enter, 0);
	return swapcontext(&apart.here, &apart.there);
}

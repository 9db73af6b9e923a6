// SPDX-License-Identifier: GPL-2.0
/* Does plaintext come to the wire? See faultwire.h. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "fault.h"
#include "faultwire.h"

#define STEP	31
#define RUN	16	/* bytes of the pattern that are no chance */
#define ROOM	(64 << 20)

static int wire = -1;

void fault_fill(void *buf, size_t len, size_t from)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (from + i) * STEP + ((from + i) >> 8) * 7;
}

bool fault_same(const void *buf, size_t len, size_t from)
{
	const uint8_t *p = buf;
	uint8_t want;
	size_t i;

	for (i = 0; i < len; i++) {
		fault_fill(&want, 1, from + i);
		if (p[i] != want)
			return false;
	}
	return true;
}

int faultwire_open(void)
{
	int room = ROOM;

	wire = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (wire < 0)
		return -1;
	return setsockopt(wire, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
}

static bool has_run(const uint8_t *p, size_t len)
{
	size_t i, run = 0;

	for (i = 1; i < len; i++) {
		run = (uint8_t)(p[i] - p[i - 1]) == STEP ? run + 1 : 0;
		if (run == RUN)
			return true;
	}
	return false;
}

bool faultwire_plaintext(void)
{
	static uint8_t packet[1 << 17];
	bool found = false;
	ssize_t n;

	while ((n = recv(wire, packet, sizeof(packet), MSG_DONTWAIT)) > 0)
		found |= has_run(packet, n);
	return found;
}

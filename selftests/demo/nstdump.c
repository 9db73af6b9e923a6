// SPDX-License-Identifier: GPL-2.0
/*
 * nstdump FILE [COUNT]: the NST records at the start of a segment or datagram in
 * a capture of tcpdump (Ethernet, IPv4, classic pcap in the byte order of this
 * machine): header decoded, then the first bytes of the body as they are on the
 * wire.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PCAP_MAGIC	0xa1b2c3d4u
#define PCAP_HEADER	24
#define ETHERNET	14
#define ETHERTYPE_IPV4	0x0800
#define PROTO_TCP	6
#define PROTO_UDP	17
#define UDP_HEADER	8
#define HEADER		48	/* of a record */
#define SHOWN		16	/* bytes of the body */
#define SNAP_MAX	262144
#define NSEC		1000000000ull

struct packet_header {
	uint32_t sec, usec, captured, length;
};

static const char *const suites[] = {
	"?", "aes-gcm", "aes-cbc", "sm4-gcm", "sm4-cbc", "aes-256-gcm",
	"aes-256-cbc", "chacha20-poly1305",
};

static unsigned int be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static void hex(const char *name, const uint8_t *p, unsigned int len)
{
	printf("  %-10s ", name);
	while (len--)
		printf("%02x", *p++);
	printf("\n");
}

static void show(const uint8_t *h, unsigned int len, unsigned int from,
		 unsigned int to)
{
	uint32_t flags = be32(h + 44);
	time_t t = be64(h + 8) / NSEC;
	char when[32];

	strftime(when, sizeof(when), "%H:%M:%S", gmtime(&t));
	printf("record %u > %u\n", from, to);
	printf("  suite      %s\n", suites[h[5] < 8 ? h[5] : 0]);
	printf("  length     %u bytes of plaintext\n", be16(h + 6));
	printf("  time       %s UTC\n", when);
	printf("  nonce      %016llx\n", (unsigned long long)be64(h + 16));
	printf("  key        %u, perturbed at %u by %02x\n", be16(h + 42), h[40],
	       h[41]);
	printf("  flags      epoch %04x%s%s%s%s, type %u\n", flags >> 16,
	       flags & 0x100 ? " START" : "", flags & 0x200 ? " BOUND" : "",
	       flags & 0x400 ? " INITIATOR" : "",
	       flags & 0x800 ? " RESPONDER" : "", flags & 0xff);
	hex("tag", h + 24, 16);
	if (len > HEADER)
		hex("ciphertext", h + HEADER,
		    len - HEADER < SHOWN ? len - HEADER : SHOWN);
}

/* Return: 1 if the packet begins with a record. */
static int packet(const uint8_t *p, unsigned int len)
{
	unsigned int at, proto;
	const uint8_t *ports;

	if (len < ETHERNET + 20 || be16(p + 12) != ETHERTYPE_IPV4)
		return 0;
	p += ETHERNET;
	len -= ETHERNET;
	at = (p[0] & 15) * 4;
	proto = p[9];
	ports = p + at;
	if ((proto != PROTO_TCP && proto != PROTO_UDP) || len < at + 20)
		return 0;
	at += proto == PROTO_UDP ? UDP_HEADER : (ports[12] >> 4) * 4;
	if (len < at + HEADER || memcmp(p + at, "NSTP", 4))
		return 0;
	show(p + at, len - at, be16(ports), be16(ports + 2));
	return 1;
}

int main(int argc, char **argv)
{
	static uint8_t data[SNAP_MAX];
	uint32_t file[PCAP_HEADER / 4];
	struct packet_header ph;
	int want = argc > 2 ? atoi(argv[2]) : 1, found = 0;
	FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;

	if (!f || fread(file, sizeof(file), 1, f) != 1 ||
	    file[0] != PCAP_MAGIC) {
		fprintf(stderr, "usage: nstdump FILE [COUNT]\n");
		return 2;
	}
	while (found < want && fread(&ph, sizeof(ph), 1, f) == 1) {
		if (ph.captured > sizeof(data) ||
		    fread(data, 1, ph.captured, f) != ph.captured)
			break;
		found += packet(data, ph.captured);
	}
	fclose(f);
	return found ? 0 : 1;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is sent. A byte depends on its place in the stream alone, with a period
 * that is prime, so that whatever is lost, doubled or out of its place shows.
 */
#ifndef NSTPERF_PAYLOAD_H
#define NSTPERF_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#define PAYLOAD_PERIOD	65521
/* Bytes that may be read behind what payload_at() returns. */
#define PAYLOAD_SPAN	(1U << 20)
/* In each 128 bytes of it, for who watches the wire. */
#define PAYLOAD_MARK	"nstperf-plaintext"

/* To be called once, before any other. */
int payload_init(void);

const char *payload_at(uint64_t position);

/* Are these the bytes of that place? 0, or trouble(). */
int payload_check(const char *buf, size_t len, uint64_t position);

/* The same, where a file of @size bytes is sent again and again; 0: there is none. */
int payload_check_file(const char *buf, size_t len, uint64_t position,
		       uint64_t size);

/* A file in @dir, without a name, of that size; given up once *@stop is not 0. */
int payload_file(const char *dir, uint64_t size, const volatile int *stop);

#endif /* NSTPERF_PAYLOAD_H */

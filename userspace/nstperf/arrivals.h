/* SPDX-License-Identifier: GPL-2.0 */
/* Which numbers have come: one that comes twice must not hide one that is lost. */
#ifndef NSTPERF_ARRIVALS_H
#define NSTPERF_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

/* How far behind the highest one is still known. */
#define ARRIVALS_SPAN	65536U

/**
 * struct arrivals - of one stream
 * @next: above all that have come
 * @seen: a bit for each of the last ones, by its rest
 */
struct arrivals {
	uint64_t next;
	uint64_t seen[ARRIVALS_SPAN / 64];
};

enum arrival { ARRIVAL_NEW, ARRIVAL_LATE, ARRIVAL_AGAIN };

static inline enum arrival arrivals_add(struct arrivals *a, uint64_t number)
{
	uint64_t bit = 1ULL << number % 64, *word;
	bool late = number < a->next;

	/* So late that it is not known: it must not count as another's arrival. */
	if (late && a->next - number > ARRIVALS_SPAN)
		return ARRIVAL_AGAIN;
	if (number >= a->next && number - a->next >= ARRIVALS_SPAN) {
		for (unsigned int i = 0; i < ARRIVALS_SPAN / 64; i++)
			a->seen[i] = 0;
		a->next = number;
	}
	for (; a->next <= number; a->next++)
		a->seen[a->next % ARRIVALS_SPAN / 64] &= ~(1ULL << a->next % 64);
	word = &a->seen[number % ARRIVALS_SPAN / 64];
	if (*word & bit)
		return ARRIVAL_AGAIN;
	*word |= bit;
	return late ? ARRIVAL_LATE : ARRIVAL_NEW;
}

#endif /* NSTPERF_ARRIVALS_H */

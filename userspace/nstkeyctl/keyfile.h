/* SPDX-License-Identifier: GPL-2.0 */
/* Box files: a key a line, "kid state hex". */
#ifndef NSTKEYCTL_KEYFILE_H
#define NSTKEYCTL_KEYFILE_H

#include <linux/nst_netlink.h>
#include <stddef.h>
#include <stdint.h>
#include "keyline.h"

/* Largest file read: a full box with a comment of 900 bytes to each key. */
#define KEYFILE_SIZE_MAX	(1U << 20)

/**
 * struct keyfile - the keys of a box file, in its order
 * @nr: how many
 * @key: the keys; NST_BOX_MAX of them have room
 *
 * From keyfile_alloc(), in memory that is not swapped out; keyfile_free()
 * wipes it.
 */
struct keyfile {
	unsigned int nr;
	struct keyline_key key[NST_BOX_MAX];
};

/* What a file is read as. */
enum keyfile_kind {
	KEYFILE_BOX,	/* a whole box: one key is active */
	KEYFILE_KEY,	/* exactly one key, in any state */
};

struct keyfile *keyfile_alloc(void);
void keyfile_free(struct keyfile *file);

int keyfile_read(struct keyfile *file, const char *path,
		 enum keyfile_kind kind);
int keyfile_parse(struct keyfile *file, const char *name, const char *text,
		  size_t len, enum keyfile_kind kind);
int keyfile_random(uint8_t *secret);
int keyfile_write(const struct keyfile *file, int fd, const char *name);
int keyfile_save(const struct keyfile *file, const char *path, int force);

#endif /* NSTKEYCTL_KEYFILE_H */

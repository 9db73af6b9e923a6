// SPDX-License-Identifier: GPL-2.0
/*
 * count.c: a QEMU plugin (TCG, API version 1) that counts how often each
 * translated block runs between two markers of the guest (marker.h).
 *
 *   -plugin count.so,out=FILE
 *
 * For each measured part FILE gets a line "part", then a line
 * "ADDRESS INSTRUCTIONS TIMES" for each block that ran in it, ADDRESS in hex.
 * For one virtual CPU: the counters are not atomic.
 *
 * Debian's QEMU has plugins but no header for them, so what is used of the
 * interface is declared here.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marker.h"

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;

typedef void (*translate_cb)(uint64_t plugin, struct qemu_plugin_tb *tb);
typedef void (*execute_cb)(unsigned int cpu, void *data);

enum { INLINE_ADD_U64 };
enum { CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t plugin, translate_cb cb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op,
					      void *counter, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    execute_cb cb, int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t idx);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(uint64_t plugin, const void *info, int argc,
			       char **argv);

struct block {
	uint64_t times;
	uint64_t address;
	uint64_t insns;
	struct block *next;
};

static struct block *blocks;
static FILE *out;

static void begin_part(unsigned int cpu, void *data)
{
	struct block *b;

	(void)cpu;
	(void)data;
	for (b = blocks; b; b = b->next)
		b->times = 0;
}

static void end_part(unsigned int cpu, void *data)
{
	struct block *b;

	(void)cpu;
	(void)data;
	fputs("part\n", out);
	for (b = blocks; b; b = b->next)
		if (b->times)
			fprintf(out, "%lx %lu %lu\n", b->address, b->insns,
				b->times);
	fflush(out);
}

static void look_for_marker(struct qemu_plugin_insn *insn)
{
	const uint8_t *p = qemu_plugin_insn_data(insn);
	execute_cb cb = begin_part;

	if (qemu_plugin_insn_size(insn) != NST_MARK_SIZE ||
	    memcmp(p, "\x0f\x1f\x80nst", NST_MARK_SIZE - 1))
		return;
	if (p[NST_MARK_SIZE - 1] == NST_MARK_END)
		cb = end_part;
	qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, CB_NO_REGS, NULL);
}

static void translate(uint64_t plugin, struct qemu_plugin_tb *tb)
{
	struct block *b = calloc(1, sizeof(*b));
	size_t i;

	(void)plugin;
	if (!b)
		abort();
	b->insns = qemu_plugin_tb_n_insns(tb);
	b->address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
	b->next = blocks;
	blocks = b;
	for (i = 0; i < b->insns; i++)
		look_for_marker(qemu_plugin_tb_get_insn(tb, i));
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &b->times, 1);
}

int qemu_plugin_install(uint64_t plugin, const void *info, int argc, char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(plugin, translate);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A record that is off TCP's queue, and could not be opened for want of memory.
 *
 * It cannot go back there, and whoever waits for the memory must not hold rx_lock
 * meanwhile. So it stays with the socket, in front of TCP's queue, until a reader
 * or the worker comes again. Until then it is judged as if it were still on the
 * queue: by the keys that the socket has when it is opened.
 */
#include <linux/build_bug.h>
#include <linux/string.h>
#include "core/aead.h"
#include "tcp/sock.h"
#include "tcp/stall.h"

/**
 * nst_stall_len() - plaintext of the record that waits
 * @nst: the socket
 *
 * Context: under rx_lock.
 * Return: bytes of data that a reader may take yet; 0 also if none waits.
 */
u32 nst_stall_len(const struct nst_tcp *nst)
{
	const struct nst_rxrec *rec;

	if (!nst->stalled || nst->stalled->rec.hdr.type != NST_TYPE_DATA)
		return 0;
	rec = &nst->stalled->rec;
	return rec->opened ? rec->user - rec->given : rec->hdr.len;
}

/**
 * nst_stall_keep() - let a record wait
 * @nst: the socket, without another one that waits
 * @rec: the record, of which nothing is held but its body and its operation
 * @wire: its header
 *
 * Context: process, under rx_lock.
 */
void nst_stall_keep(struct nst_tcp *nst, const struct nst_rxrec *rec,
		    const u8 *wire)
{
	struct nst_stalled *stalled = (void *)rec->op->keep;

	BUILD_BUG_ON(sizeof(*stalled) > sizeof(rec->op->keep));
	stalled->rec = *rec;
	memcpy(stalled->wire, wire, NST_WIRE_HDR_LEN);
	nst->stalled = stalled;
}

/**
 * nst_stall_fit() - have the record's operation suit the cipher of today
 * @nst: the socket, with a record that waits and is not opened
 * @gfp: how to allocate
 *
 * Its keys may have been set anew.
 *
 * Context: process, under rx_lock.
 * Return: 0 or -ENOMEM.
 */
int nst_stall_fit(struct nst_tcp *nst, gfp_t gfp)
{
	struct nst_op *op = nst_op_refit(nst->stalled->rec.op,
					 &nst->st.rx.ep.cipher, gfp);

	if (!op)
		return -ENOMEM;
	nst->stalled = (void *)op->keep;
	nst->stalled->rec.op = op;
	return 0;
}

/**
 * nst_stall_take() - the record goes on
 * @nst: the socket, with one that waits
 * @rec: receives the record
 * @wire: receives its header
 *
 * Context: process, under rx_lock.
 */
void nst_stall_take(struct nst_tcp *nst, struct nst_rxrec *rec, u8 *wire)
{
	*rec = nst->stalled->rec;
	memcpy(wire, nst->stalled->wire, NST_WIRE_HDR_LEN);
	nst->stalled = NULL;
}

/**
 * nst_stall_drop() - nobody will open the record any more
 * @nst: the socket
 *
 * Context: process, under rx_lock, or when nobody else is there.
 */
void nst_stall_drop(struct nst_tcp *nst)
{
	u8 wire[NST_WIRE_HDR_LEN];
	struct nst_rxrec rec;

	if (!nst->stalled)
		return;
	nst_stall_take(nst, &rec, wire);
	nst_rxrec_release_src(&rec);
	nst_op_put(rec.op);
}

/* SPDX-License-Identifier: GPL-2.0 */
/* The receiving half of a record stream. */
#ifndef _NST_STREAM_RX_H
#define _NST_STREAM_RX_H

#include "core/stream.h"

enum nst_drop nst_stream_rx_judge(struct nst_stream *st,
				  const struct nst_hdr *hdr);
bool nst_stream_rx_knows_key(struct nst_stream *st, const struct nst_hdr *hdr);
bool nst_stream_rx_has_keys(const struct nst_stream *st,
			    const struct nst_hdr *hdr);
enum nst_drop nst_stream_rx_keys(struct nst_stream *st,
				 const struct nst_hdr *hdr);
enum nst_drop nst_stream_rx_accept(struct nst_stream *st,
				   const struct nst_hdr *hdr);

#endif /* _NST_STREAM_RX_H */

// SPDX-License-Identifier: GPL-2.0
/* What is wrong, and the way out, where it is about TLS. */
#include <errno.h>
#include <stddef.h>

#include <nst/tls.h>

#define SAY(wrong, way)	wrong "; " way

const char *nst_tls_strerror(int err)
{
	/* What nst_tls_step() returns while it waits. */
	if (err > 0)
		return SAY("the handshake is not finished, or the peer does not answer",
			   "poll() for it, and call again, or close it");
	switch (err) {
	case -EACCES:
		return SAY("the peer's certificate is missing, not verified or resumed",
			   "SSL_get_verify_result() has why");
	case -EBADFD:
		return SAY("bytes of TLS may have passed behind the handshake unseen",
			   "nst_tls_prepare() before it");
	case -EBADMSG:
		return SAY("the TLS handshake has failed",
			   "ERR_get_error() has why");
	case -ECONNABORTED:
		return SAY("the peer has ended the connection",
			   "it may not have liked the handshake");
	case -EEXIST:
		return SAY("the socket has kTLS, another ULP, or NST already",
			   "clear SSL_OP_ENABLE_KTLS; no nst-run for a program of libnst-tls");
	case -EINPROGRESS:
		return SAY("the TLS handshake is not finished",
			   "SSL_do_handshake() first, or nst_tls_step()");
	case -EINVAL:
		return SAY("options with keys or another role, or a handshake that has begun",
			   "see nst_from_tls(3)");
	case -EIO:
		return SAY("libssl has failed, or this socket will never work",
			   "close it");
	case -EKEYREJECTED:
		return SAY("early data, or a session resumed without a key exchange",
			   "connect without them");
	case -ENOTCONN:
		return SAY("TLS has no connected socket, or NST has taken it",
			   "SSL_set_fd() first, nst_from_tls() once");
	case -ENOTEMPTY:
		return SAY("TLS has gone on behind its handshake: a ticket, a KeyUpdate, data",
			   "nst_from_tls() right behind it");
	case -EOPNOTSUPP:
		return SAY("TLS does not speak through a TCP socket alone",
			   "SSL_set_fd(), and no other BIO or callback of one");
	case -EPROTO:
		return SAY("the peer has gone on in TLS, or sends session tickets",
			   "it has to call nst_from_tls(), too");
	case -EPROTONOSUPPORT:
		return SAY("this is not TLS 1.3", "both ends have to allow it");
	}
	return nst_strerror(err);
}

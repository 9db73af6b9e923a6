// SPDX-License-Identifier: GPL-2.0
/*
 * tlscert FILE KEYFILE: a certificate for localhost that trusts itself, and its
 * key, in PEM. So no key lies about in the sources.
 */
#include <err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define DAY	86400L

static void add_names(X509 *cert)
{
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *ext;

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
				  "DNS:localhost");
	if (!ext || !X509_add_ext(cert, ext, -1))
		errx(1, "extension");
	X509_EXTENSION_free(ext);
}

int main(int argc, char **argv)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *file, *keyfile;

	if (argc != 3 || !key || !cert)
		errx(2, "tlscert FILE KEYFILE");
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -DAY);
	X509_gmtime_adj(X509_getm_notAfter(cert), DAY);
	X509_set_pubkey(cert, key);
	add_names(cert);
	file = fopen(argv[1], "w");
	keyfile = fopen(argv[2], "w");
	if (!file || !keyfile)
		err(1, "%s", argv[1]);
	if (!X509_sign(cert, key, EVP_sha256()) || !PEM_write_X509(file, cert) ||
	    !PEM_write_PrivateKey(keyfile, key, NULL, NULL, 0, NULL, NULL))
		errx(1, "cannot make it");
	if (fclose(file) || fclose(keyfile))
		err(1, "%s", argv[1]);
	return 0;
}

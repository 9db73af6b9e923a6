// SPDX-License-Identifier: GPL-2.0

//! tls-rustls listen PORT CERTIFICATE KEY: sends back what it receives
//! tls-rustls NAME PORT TRUSTED TEXT: sends a text, and prints what comes back
//!
//! The same as tls-openssl and tls-gnutls with rustls (0.20): a handshake of TLS
//! 1.3 without tickets or resumption, read a record at a time so that nothing is
//! read behind it, and then NST under a key of the exporter.
//!
//!     cargo build --release

use rustls::client::NoClientSessionStorage;
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use rustls::{Certificate, ClientConfig, ClientConnection, Connection, PrivateKey, RootCertStore};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};
use std::error::Error;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::raw::{c_int, c_void};
use std::os::unix::io::AsRawFd;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs::File, thread};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const IPPROTO_TCP: c_int = 6;
const TCP_ULP: c_int = 31;
const SOL_NST: c_int = 20051;
const NST_TX_RX: c_int = 6;
const AES_GCM: u8 = 1;
const STRICT: u32 = 1;
const INITIATOR: u32 = 2;
const RESPONDER: u32 = 4;
const CONTEXT: &[u8] = b"echo";
const LABEL: &[u8] = b"EXPORTER-nst1";
static VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13];

extern "C" {
    fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, len: u32) -> c_int;
    fn explicit_bzero(at: *mut c_void, len: usize);
}

fn set(conn: &TcpStream, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    let (at, len) = (value.as_ptr().cast(), value.len() as u32);
    // SAFETY: value is len bytes, and the kernel only reads them
    match unsafe { setsockopt(conn.as_raw_fd(), level, name, at, len) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// NST with one key, kid 1, that no box has
fn use_nst(conn: &TcpStream, tls: &Connection, role: u32) -> Result<()> {
    // struct nst_crypto_info, and a struct nst_key behind it
    let mut info = [0u8; 48 + 40];
    info[0] = 1;
    info[1] = AES_GCM;
    info[4..8].copy_from_slice(&(STRICT | role).to_ne_bytes());
    info[8..10].copy_from_slice(&1u16.to_ne_bytes());
    info[10] = CONTEXT.len() as u8;
    info[16..16 + CONTEXT.len()].copy_from_slice(CONTEXT);
    info[48..50].copy_from_slice(&1u16.to_ne_bytes());
    tls.export_keying_material(&mut info[56..], LABEL, Some(CONTEXT))?;
    let done = set(conn, IPPROTO_TCP, TCP_ULP, b"nst").and_then(|_| set(conn, SOL_NST, NST_TX_RX, &info));
    // SAFETY: all of info, which is not used any more
    unsafe { explicit_bzero(info.as_mut_ptr().cast(), info.len()) };
    Ok(done?)
}

/// Reads no byte behind a record of TLS
struct Records<'a> {
    conn: &'a TcpStream,
    head: Vec<u8>,
    left: usize,
}

impl Read for Records<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let heading = self.left == 0;
        let want = if heading { 5 - self.head.len() } else { self.left };
        let want = want.min(buf.len());
        let n = self.conn.read(&mut buf[..want])?;
        if heading {
            self.head.extend_from_slice(&buf[..n]);
            if self.head.len() == 5 {
                self.left = usize::from(self.head[3]) << 8 | usize::from(self.head[4]);
                self.head.clear();
            }
        } else {
            self.left -= n;
        }
        Ok(n)
    }
}

/// Nothing of TLS may stand behind the handshake, with rustls or the kernel.
fn is_over(conn: &TcpStream, records: &Records) -> io::Result<bool> {
    let mut first = [0u8; 1];
    conn.set_nonblocking(true)?;
    let n = conn.peek(&mut first);
    conn.set_nonblocking(false)?;
    Ok(records.left == 0
        && records.head.is_empty()
        && match n {
            Ok(n) => n == 1 && first[0] == b'N',
            Err(e) => e.kind() == ErrorKind::WouldBlock,
        })
}

fn handshake(mut conn: &TcpStream, tls: &mut Connection, role: u32) -> Result<()> {
    let mut records = Records { conn, head: Vec::new(), left: 0 };
    while tls.is_handshaking() || tls.wants_write() || records.left > 0 {
        while tls.wants_write() {
            tls.write_tls(&mut conn)?;
        }
        if !tls.is_handshaking() && records.left == 0 {
            break;
        }
        if tls.read_tls(&mut records)? == 0 {
            return Err("TLS: the peer has ended the connection".into());
        }
        if let Err(e) = tls.process_new_packets() {
            let _ = tls.write_tls(&mut conn); // the alert says why
            return Err(format!("TLS: {}", e).into());
        }
    }
    let state = tls.process_new_packets()?;
    if state.plaintext_bytes_to_read() > 0 || !is_over(conn, &records)? {
        return Err("TLS: the peer goes on in TLS".into());
    }
    use_nst(conn, tls, role).map_err(|e| format!("NST: {}", e).into())
}

/// Handshake and keys; conn has NST afterwards, or is shut down.
fn secure(conn: &TcpStream, mut tls: Connection, role: u32) -> Result<()> {
    conn.set_read_timeout(Some(Duration::from_secs(20)))?;
    let done = handshake(conn, &mut tls, role);
    if done.is_err() {
        let _ = conn.shutdown(Shutdown::Both);
    }
    conn.set_read_timeout(None)?;
    done
}

fn certificates(file: &str) -> Result<Vec<Certificate>> {
    let list = rustls_pemfile::certs(&mut BufReader::new(File::open(file)?))?;
    Ok(list.into_iter().map(Certificate).collect())
}

fn echo(mut conn: TcpStream, tls: Connection) -> Result<()> {
    secure(&conn, tls, RESPONDER)?;
    let mut buf = [0u8; 16384];
    loop {
        match conn.read(&mut buf)? {
            0 => return Ok(()),
            n => conn.write_all(&buf[..n])?,
        }
    }
}

fn serve(port: u16, certificate: &str, key: &str) -> Result<()> {
    let keys = rustls_pemfile::pkcs8_private_keys(&mut BufReader::new(File::open(key)?))?;
    let key = keys.into_iter().next().ok_or("no key of PKCS #8")?;
    let mut config = ServerConfig::builder()
        .with_safe_default_cipher_suites()
        .with_safe_default_kx_groups()
        .with_protocol_versions(VERSIONS)?
        .with_no_client_auth()
        .with_single_cert(certificates(certificate)?, PrivateKey(key))?;
    // Else each handshake is followed by tickets.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    let config = Arc::new(config);
    for conn in TcpListener::bind(("::", port))?.incoming() {
        let (conn, tls) = (conn?, ServerConnection::new(config.clone())?);
        thread::spawn(move || {
            if let Err(e) = echo(conn, tls.into()) {
                eprintln!("{}", e);
            }
        });
    }
    Ok(())
}

fn ask(name: &str, port: u16, trusted: &str, text: &str) -> Result<()> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(trusted)? {
        roots.add(&certificate)?;
    }
    let mut config = ClientConfig::builder()
        .with_safe_default_cipher_suites()
        .with_safe_default_kx_groups()
        .with_protocol_versions(VERSIONS)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.session_storage = Arc::new(NoClientSessionStorage {});
    let tls = ClientConnection::new(Arc::new(config), name.try_into()?)?;
    let mut conn = TcpStream::connect((name, port))?;
    secure(&conn, tls.into(), INITIATOR)?;
    conn.write_all(text.as_bytes())?;
    conn.shutdown(Shutdown::Write)?;
    let mut back = String::new();
    conn.read_to_string(&mut back)?;
    print!("{}", back);
    Ok(())
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    match &args[..] {
        [word, port, certificate, key] if word == "listen" => serve(port.parse()?, certificate, key),
        [name, port, trusted, text] => ask(name, port.parse()?, trusted, text),
        _ => Err("tls-rustls listen PORT CERTIFICATE KEY | NAME PORT TRUSTED TEXT".into()),
    }
}

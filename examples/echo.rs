// SPDX-License-Identifier: GPL-2.0

//! echo listen ADDRESS:PORT sends back what it receives;
//! echo ADDRESS:PORT TEXT sends a text, and prints what comes back.
//!
//! With the keys of the namespace's box (nstkeyctl load). The standard library and
//! the crate libc do: Cargo.toml beside this names it.
//!
//!     cargo build --release

use libc::{c_int, socklen_t, IPPROTO_TCP, TCP_ULP};
use std::io::{Error, Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::io::{AsRawFd, RawFd};
use std::thread;

const SOL_NST: c_int = 20051;
const NST_TX_RX: c_int = 6;
const AES_GCM: u8 = 1;
const INITIATOR: u32 = 2;
const RESPONDER: u32 = 4;

fn set(fd: RawFd, level: c_int, name: c_int, value: &[u8]) -> Result<()> {
    let len = value.len() as socklen_t;
    // SAFETY: value is len bytes, and the kernel only reads them
    let n = unsafe { libc::setsockopt(fd, level, name, value.as_ptr().cast(), len) };
    if n == 0 {
        Ok(())
    } else {
        Err(Error::last_os_error())
    }
}

/// From here on nothing leaves or enters in plaintext. std connects and listens
/// by itself, so this comes later, before the first byte, and says the role.
fn use_nst(fd: RawFd, role: u32, context: &[u8]) -> Result<()> {
    // struct nst_crypto_info without keys of its own: those of the box
    let mut info = [0u8; 48];
    info[0] = 1;
    info[1] = AES_GCM;
    info[4..8].copy_from_slice(&role.to_ne_bytes());
    info[10] = context.len() as u8;
    info[16..16 + context.len()].copy_from_slice(context);
    set(fd, IPPROTO_TCP, TCP_ULP, b"nst")?;
    set(fd, SOL_NST, NST_TX_RX, &info)
}

fn echo(mut conn: TcpStream) -> Result<()> {
    let mut buf = [0u8; 16384];
    loop {
        match conn.read(&mut buf)? {
            0 => return Ok(()),
            n => conn.write_all(&buf[..n])?,
        }
    }
}

fn serve(address: &str) -> Result<()> {
    let listener = TcpListener::bind(address)?;
    use_nst(listener.as_raw_fd(), RESPONDER, b"echo")?;
    for conn in listener.incoming() {
        let conn = conn?;
        thread::spawn(move || {
            if let Err(e) = echo(conn) {
                eprintln!("{}", e);
            }
        });
    }
    Ok(())
}

fn ask(address: &str, text: &str) -> Result<()> {
    let mut conn = TcpStream::connect(address)?;
    use_nst(conn.as_raw_fd(), INITIATOR, b"echo")?;
    conn.write_all(text.as_bytes())?;
    conn.shutdown(Shutdown::Write)?;
    let mut back = String::new();
    conn.read_to_string(&mut back)?;
    print!("{}", back);
    Ok(())
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    match &args[1..] {
        [word, address] if word == "listen" => serve(address),
        [address, text] => ask(address, text),
        _ => panic!("echo listen ADDRESS:PORT | echo ADDRESS:PORT TEXT"),
    }
}

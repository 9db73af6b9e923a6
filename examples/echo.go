// SPDX-License-Identifier: GPL-2.0

// echo listen ADDRESS:PORT sends back what it receives;
// echo ADDRESS:PORT TEXT sends a text, and prints what comes back.
//
// With the keys of the namespace's box (nstkeyctl load). Go's own packages do:
// Control is called for a socket before connect() or listen(). (Go 1.24 and later
// try MPTCP for a listener first. NST cannot be under that, so Control fails, and
// they come back with TCP.)
//
//	go build echo.go
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"syscall"
)

const (
	tcpULP  = 31
	solNST  = 20051
	nstTxRx = 6
	aesGCM  = 1
)

// info is struct nst_crypto_info without keys of its own: those of the box.
func info(name string) string {
	b := make([]byte, 48)
	b[0] = 1 // version
	b[1] = aesGCM
	b[10] = byte(len(name))
	copy(b[16:], name)
	return string(b)
}

// useNST gives a socket NST. What is accepted has what its listener has.
func useNST(network, address string, c syscall.RawConn) (err error) {
	e := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptString(int(fd), syscall.IPPROTO_TCP,
			tcpULP, "nst")
		if err == nil {
			err = syscall.SetsockoptString(int(fd), solNST, nstTxRx,
				info("echo"))
		}
	})
	if e != nil {
		return e
	}
	return err
}

func serve(address string) error {
	config := net.ListenConfig{Control: useNST}
	listener, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			if _, err := io.Copy(conn, conn); err != nil {
				log.Print(err)
			}
		}()
	}
}

func ask(address, text string) error {
	dialer := net.Dialer{Control: useNST}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err = io.WriteString(conn, text); err != nil {
		return err
	}
	conn.(*net.TCPConn).CloseWrite()
	back, err := io.ReadAll(conn)
	fmt.Print(string(back))
	return err
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("echo listen ADDRESS:PORT | echo ADDRESS:PORT TEXT")
	}
	if os.Args[1] == "listen" {
		log.Fatal(serve(os.Args[2]))
	}
	if err := ask(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

// SPDX-License-Identifier: GPL-2.0

// gopeer listen ADDRESS: an echo server, until it is killed.
//
// gopeer dial ADDRESS N MARK: N connections at the same time, each of which sends
// lines with MARK and gets them back. Says how many did.
//
// A static program of many threads, without libc: built with CGO_ENABLED=0.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const lines = 200

func fail(err error) {
	fmt.Fprintln(os.Stderr, "gopeer:", err)
	os.Exit(1)
}

func listen(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fail(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			fail(err)
		}
		go func() {
			io.Copy(c, c)
			c.(*net.TCPConn).CloseWrite()
			c.Close()
		}()
	}
}

func one(addr string, n int, mark string) error {
	c, err := net.DialTimeout("tcp", addr, 5*time.Minute)
	if err != nil {
		return err
	}
	defer c.Close()
	text := strings.Repeat(fmt.Sprintf("%s %d\n", mark, n), lines)
	go func() {
		io.WriteString(c, text)
		c.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	if string(got) != text {
		return fmt.Errorf("%d came back otherwise", n)
	}
	return nil
}

func dial(addr string, n int, mark string) {
	done := make(chan error)
	good := 0

	for i := 0; i < n; i++ {
		go func(i int) { done <- one(addr, i, mark) }(i)
	}
	for i := 0; i < n; i++ {
		if err := <-done; err != nil {
			fmt.Fprintln(os.Stderr, "gopeer:", err)
		} else {
			good++
		}
	}
	fmt.Println(good)
	if good != n {
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "listen" {
		listen(os.Args[2])
	}
	if len(os.Args) != 5 || os.Args[1] != "dial" {
		fail(fmt.Errorf("listen ADDRESS, dial ADDRESS N MARK"))
	}
	n, err := strconv.Atoi(os.Args[3])
	if err != nil {
		fail(err)
	}
	dial(os.Args[2], n, os.Args[4])
}

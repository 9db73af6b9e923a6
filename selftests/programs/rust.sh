#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rust.sh: Debian's Rust compiler and crates, for the examples in Rust. Installed if
# they are not there.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR/../vm source=lib.sh
. "$here/../vm/lib.sh"
# shellcheck source-path=SCRIPTDIR/../vm source=apt.sh
. "$here/../vm/apt.sh"

packages="rustc cargo librust-libc-dev librust-rustls-dev librust-rustls-pemfile-dev"
# shellcheck disable=SC2086 # a list
installed $packages || install_packages $packages

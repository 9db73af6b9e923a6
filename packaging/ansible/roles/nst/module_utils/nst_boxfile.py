# SPDX-License-Identifier: GPL-2.0
"""Box files: reading, comparing and writing them."""
from __future__ import absolute_import, division, print_function
__metaclass__ = type

import errno
import hashlib
import os
import re
import stat
import tempfile

LINE = re.compile(r'^\s*(\d{1,5})\s+(accept|active|retired)\s+'
                  r'([0-9A-Fa-f]{64})\s*$')


class Problem(Exception):
    """Why a step is not done, for who runs the playbook."""


def fingerprint(secret):
    return hashlib.sha256(b'nst-fp' + secret).hexdigest()[:16]


def parse(text, name):
    """Keys of a box file: kid -> (state, secret). No message has a key."""
    keys = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split('#', 1)[0]
        if not line.strip():
            continue
        m = LINE.match(line)
        if not m or not 1 <= int(m.group(1)) <= 65535:
            raise Problem("%s:%d: is no 'KID STATE KEY' with a key of 64 "
                          "hexadecimal digits" % (name, number))
        if int(m.group(1)) in keys:
            raise Problem('%s:%d: kid %s for the second time' %
                          (name, number, m.group(1)))
        keys[int(m.group(1))] = (m.group(2), bytes(bytearray.fromhex(m.group(3))))
    return keys


def states(keys):
    """kid -> (state, fingerprint), of keys with secrets."""
    return dict((kid, (state, fingerprint(secret)))
                for kid, (state, secret) in keys.items())


def live(box):
    return dict((kid, key) for kid, key in box.items() if key[0] != 'retired')


def differences(want, have):
    """What of a box is not as it is here, in words."""
    words = []
    for kid in sorted(set(want) | set(have)):
        if kid not in have:
            words.append('key %d is not here' % kid)
        elif kid not in want:
            words.append('key %d is %s here and not in nst_box' %
                         (kid, have[kid][0]))
        elif want[kid][1] != have[kid][1]:
            words.append('key %d is another one here' % kid)
        elif want[kid][0] != have[kid][0]:
            words.append('key %d is %s here, not %s' %
                         (kid, have[kid][0], want[kid][0]))
    return ', '.join(words)


class BoxFile(object):
    """The file that the box is loaded from when the host starts."""

    def __init__(self, path):
        self.path = path
        self.keys = None        # kid -> (state, secret); None: none to be used
        self.problem = ''       # why not, if it is there

    def read(self):
        try:
            st = os.lstat(self.path)
        except OSError as e:
            if e.errno == errno.ENOENT:
                return
            raise Problem('%s: %s' % (self.path, e.strerror))
        if not stat.S_ISREG(st.st_mode):
            raise Problem('%s is no ordinary file: take it away' % self.path)
        if st.st_uid != 0:
            self.problem = ('%s belongs to user %d, who may know or have '
                            'changed its keys' % (self.path, st.st_uid))
        elif st.st_mode & 0o077:
            self.problem = ('%s: others have access (mode %04o), so its keys may '
                            'be known' % (self.path, st.st_mode & 0o7777))
        else:
            try:
                with open(self.path) as f:
                    self.keys = parse(f.read(), self.path)
            except (Problem, EnvironmentError, UnicodeDecodeError) as e:
                self.problem = str(e) if isinstance(e, Problem) else \
                    '%s cannot be read' % self.path

    def write(self, keys):
        """All of it, or what was there stays."""
        lines = ['# kept by the Ansible role nst\n']
        for kid in sorted(keys):
            lines.append('%d %s %s\n' % (kid, keys[kid][0], ''.join(
                '%02x' % b for b in bytearray(keys[kid][1]))))
        temp = None
        where = os.path.dirname(self.path) or '.'
        prefix = '.%s.new-' % os.path.basename(self.path)
        try:
            # What one that was killed has left; there is a lock.
            for left in os.listdir(where):
                if left.startswith(prefix):
                    os.unlink(os.path.join(where, left))
            fd, temp = tempfile.mkstemp(prefix=prefix, dir=where)   # mode 0600
            with os.fdopen(fd, 'w') as f:
                f.write(''.join(lines))
                f.flush()
                os.fsync(f.fileno())
            os.rename(temp, self.path)
            temp = None
            fd = os.open(where, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        except EnvironmentError as e:
            raise Problem('%s: %s; it is as it was' % (self.path, e.strerror))
        finally:
            if temp:
                os.unlink(temp)
        self.keys, self.problem = dict(keys), ''

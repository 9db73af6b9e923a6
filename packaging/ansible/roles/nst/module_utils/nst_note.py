# SPDX-License-Identifier: GPL-2.0
"""Who rotates the keys of this host."""
from __future__ import absolute_import, division, print_function
__metaclass__ = type

import fcntl
import json
import os
import time

from ansible.module_utils.nst_boxfile import Problem

# How long a step waits for another one on the same host, in seconds.
LOCK_WAIT = 20


class Note(object):
    """Which rotation this host is in, and who runs it; and a lock for a step.

    The kernel has the state of the keys. It does not know which key a rotation
    came from when all have moved, nor that two of them are under way.
    """

    def __init__(self, directory):
        self.path = os.path.join(directory, 'rotation')
        self.directory = directory
        self.fd = None

    def lock(self, check):
        if check and not os.path.isdir(self.directory):
            return
        try:
            if not os.path.isdir(self.directory):
                os.mkdir(self.directory, 0o700)
            self.fd = os.open(self.directory, os.O_RDONLY)
        except EnvironmentError as e:
            raise Problem('%s: %s' % (self.directory, e.strerror))
        st = os.fstat(self.fd)
        if st.st_uid != 0 or st.st_mode & 0o022:
            raise Problem("%s: others may write there: make it root's, mode 0700"
                          % self.directory)
        end = time.time() + LOCK_WAIT
        while True:
            try:
                return fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except EnvironmentError:
                if time.time() > end:
                    raise Problem('another step is under way on this host '
                                  '(%s is locked)' % self.directory)
                time.sleep(0.2)

    def unlock(self):
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def read(self):
        try:
            with open(self.path) as f:
                note = json.load(f)
            return dict(note) if int(note['to']) and note['at'] else {}
        except (EnvironmentError, ValueError, TypeError, KeyError):
            return {}

    def write(self, note):
        temp = self.path + '.new'
        try:
            with open(temp, 'w') as f:
                json.dump(note, f, sort_keys=True)
                f.write('\n')
            os.rename(temp, self.path)
        except EnvironmentError as e:
            raise Problem('%s: %s' % (self.path, e.strerror))

    @staticmethod
    def age(note):
        """Seconds; also those until a time to come, if the clock was set back."""
        return abs(int(time.time() - float(note['at'])))

#!/usr/bin/python
# SPDX-License-Identifier: GPL-2.0
"""One step of keeping the key box of a host, its file and the kernel's alike.

What a host is to have is made from what its kernel has. The file is written
first and the kernel changed then, so that a boot never loads a box older than the
one that the kernel had. Keys come as arguments that Ansible does not log, go to
the file and to nstkeyctl's standard input, and to nowhere else: what is returned
has fingerprints.
"""
from __future__ import absolute_import, division, print_function
__metaclass__ = type

DOCUMENTATION = r'''
module: nst_box
short_description: keep the NST key box of a host, and rotate its keys
description:
  - For the playbooks of the role I(nst), which put the steps together.
  - What stands in the way is returned as C(problem), and nothing has failed then,
    so that the playbook can say of all hosts at once why it stops.
options:
  step:
    description: What to do. C(show) changes nothing.
    choices: [show, install, begin, accept, restore, activate, drain, retire,
              forget, end, release]
    default: show
  box:
    description: The lines of a box file.
  key:
    description: One line of a box file, the key that is rotated to.
  kid:
    description: The key that the step is about.
  to_kid:
    description: The key that is rotated to, if I(key) is not given.
  from_kid:
    description: The key that it comes from; 0 if that is not known.
'''

import json
import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.nst_boxfile import (BoxFile, Problem, differences,
                                              live, parse, states)
from ansible.module_utils.nst_note import Note

# Who waits looks so often, and renews his lease, in seconds.
LOOK, RENEW = 1, 20
# So many runs that have ended are remembered.
OVER = 20


class Host(object):
    def __init__(self, module):
        self.module = module
        self.p = module.params
        self.check = module.check_mode
        self.done = []
        self.file = BoxFile(self.p['file'])
        self.note = Note(self.p['state_dir'])
        self.box = parse(self.p['box'] or '', 'nst_box')
        self.new = parse(self.p['key'] or '', 'nst_rotate_key')
        self.kernel = {}        # kid -> (state, fingerprint)
        self.uses = {}          # kid -> what nstkeyctl show tells
        self.came_from = 0
        self.over = []          # runs that are known here to have ended
        self.held = ''          # the one that is in the way
        if len(self.new) > 1:
            raise Problem('nst_rotate_key: has more than one key')
        self.to = list(self.new)[0] if self.new else self.p['to_kid']

    # --- the kernel

    def nstkeyctl(self, *args, **kwargs):
        tool = self.module.get_bin_path(
            'nstkeyctl', opt_dirs=['/usr/sbin', '/usr/local/sbin'])
        if not tool:
            raise Problem('there is no nstkeyctl: install nst-utils')
        rc, out, err = self.module.run_command([tool] + list(args), **kwargs)
        if rc:
            raise Problem(' '.join((err or 'nstkeyctl failed').split()))
        return out

    def look(self):
        try:
            keys = json.loads(self.nstkeyctl('show', '--json'))['keys']
        except (ValueError, KeyError):
            raise Problem('nstkeyctl show --json: is not as this role knows it')
        self.uses = dict((key['kid'], key) for key in keys)
        self.kernel = dict((key['kid'], (key['state'], key['fingerprint']))
                           for key in keys)

    def used(self, kid):
        """How many streams and sessions use a key."""
        key = self.uses.get(kid, {})
        return (key.get('tx_streams', 0) + key.get('rx_streams', 0),
                key.get('sessions', 0))

    def active(self):
        for kid, key in self.kernel.items():
            if key[0] == 'active':
                return kid
        return 0

    # --- both

    def secrets(self):
        known = {}
        for keys in (self.box, self.new, self.file.keys or {}):
            for kid, (state, secret) in keys.items():
                known[kid, states({kid: (state, secret)})[kid][1]] = secret
        return known

    def storable(self, want):
        """@want without retired keys that nobody has kept."""
        known = self.secrets()
        return dict((kid, key) for kid, key in want.items()
                    if key[0] != 'retired' or (kid, key[1]) in known)

    def keep(self, want):
        """Brings the file to @want, kid -> (state, fingerprint)."""
        want = self.storable(want)
        if self.file.keys is not None and states(self.file.keys) == want:
            return
        known, keys = self.secrets(), {}
        for kid, (state, fp) in want.items():
            if (kid, fp) not in known:
                raise Problem(
                    'key %d of the kernel is neither in %s nor in nst_box, so '
                    'the file cannot be kept in step with it' %
                    (kid, self.file.path))
            keys[kid] = (state, known[kid, fp])
        self.done.append('%s: %s' % (self.file.path, ', '.join(
            '%d %s' % (kid, want[kid][0]) for kid in sorted(want))))
        if not self.check:
            self.file.write(keys)

    def change(self, want, what, *command, **kwargs):
        """The file first: a boot meanwhile loads what is wanted."""
        self.keep(want)
        if want == self.kernel:
            return
        self.done.append(what)
        if not self.check:
            self.nstkeyctl(*command, **kwargs)
            self.look()
            if self.kernel != want:
                raise Problem('the box is not as it was left: somebody else '
                              'changes it; begin again')

    # --- steps

    def step_show(self):
        pass

    def no_rotation(self):
        note = self.note.read()
        if note.get('run') and Note.age(note) < self.p['lease']:
            raise Problem('a rotation to key %d is under way, of %s' %
                          (note['to'], note.get('by')))

    def step_install(self):
        want = states(self.box)
        if [key[0] for key in want.values()].count('active') != 1:
            raise Problem('nst_box: has no active key, or more than one')
        self.no_rotation()
        # What it held is not known, and may be newer than nst_box.
        if self.file.problem and not self.kernel and not self.p['replace']:
            raise Problem('%s; -e nst_replace=true puts nst_box in its place' %
                          self.file.problem)
        have = self.kernel or states(self.file.keys or {})
        if have and live(want) == live(have):
            want = have
        elif have and not self.p['replace']:
            raise Problem(
                'this host has another box: %s. If nst_box is old, bring it up '
                'to date; a new key comes by rotate.yml; -e nst_replace=true puts '
                'nst_box in place and breaks what uses other keys' %
                differences(live(want), live(have)))
        self.change(self.storable(want), 'the kernel: the box of the file', 'load',
                    self.file.path)

    def step_begin(self):
        note, fp = self.note.read(), ''
        self.over = note.get('over', [])
        if note.get('run') not in [None, self.p['run']] + self.p['over'] and \
                Note.age(note) < self.p['lease'] and not self.p['take_over']:
            self.held = note['run']
            raise Problem(
                'a %s key %d is under way, of %s, last seen %d s ago: let it end, '
                'or -e nst_take_over=true if it is dead' %
                ('rollback from' if note.get('how') == 'rollback' else
                 'rotation to', note['to'], note.get('by'), Note.age(note)))
        if not self.kernel:
            raise Problem('the kernel has no box: run box.yml')
        if self.file.problem:
            raise Problem(self.file.problem)
        if self.to in self.kernel:
            fp = self.kernel[self.to][1]
            if self.new and states(self.new)[self.to][1] != fp:
                raise Problem('key %d is another one here: take a new number'
                              % self.to)
        elif not self.new and self.p['how'] == 'rotate':
            raise Problem('key %d is not here' % self.to)
        if self.active() not in (0, self.to):
            self.came_from = self.active()
        elif note.get('to') == self.to and note.get('fp') == fp:
            self.came_from = note.get('from', 0)

    def step_accept(self):
        kid = self.to
        if kid in self.kernel:
            if self.kernel[kid][0] == 'retired':
                raise Problem('key %d was retired: make another one' % kid)
            return self.keep(self.kernel)
        want = dict(self.kernel)
        want[kid] = ('accept', states(self.new)[kid][1])
        line = '%d accept %s\n' % (kid, ''.join(
            '%02x' % b for b in bytearray(self.new[kid][1])))
        self.change(want, 'the kernel: accepts key %d' % kid, 'add', '-',
                    data=line, binary_data=True)

    def step_restore(self):
        """The key that was to go is one again that is accepted."""
        kid, want = self.p['kid'], dict(self.kernel)
        if kid not in want:
            known = dict((k, states(keys)[k][1]) for keys in
                         (self.box, self.file.keys or {}) for k in keys)
            if kid not in known:
                raise Problem('key %d was deleted here, and nst_box does not '
                              'have it' % kid)
            want[kid] = ('retired', known[kid])
        if want[kid][0] == 'retired':
            want[kid] = ('accept', want[kid][1])
        self.change(self.storable(want),
                    'the kernel: accepts key %d again' % kid, 'load', self.file.path)

    def step_activate(self):
        kid, want = self.p['kid'], dict(self.kernel)
        if kid not in want and not self.check:
            raise Problem('key %d is not here any more' % kid)
        if want.get(kid, ('',))[0] == 'retired' and not self.check:
            raise Problem('key %d is retired' % kid)
        for other, (state, fp) in list(want.items()):
            if state == 'active':
                want[other] = ('accept', fp)
        want[kid] = ('active', want[kid][1] if kid in want else
                     states(self.new)[kid][1] if kid in self.new else '')
        if self.check and kid not in self.kernel:
            self.done.append('the kernel: sends under key %d' % kid)
            return
        self.change(want, 'the kernel: sends under key %d' % kid, 'activate',
                    str(kid))

    def step_drain(self):
        """Waits until nobody uses the key, without the lock."""
        if self.check:
            return self.would_wait(self.p['kid'])
        kid, end = self.p['kid'], time.time() + self.p['wait']
        renew = time.time() + RENEW
        self.note.unlock()
        while any(self.used(kid)) and not self.gone(kid):
            if time.time() >= end or self.p['force']:
                break
            time.sleep(LOOK)
            self.look()
            if time.time() >= renew:
                self.note.lock(False)
                self.own()
                self.note.unlock()
                renew = time.time() + RENEW
        self.note.lock(False)
        self.own()
        self.in_use(kid)

    def would_wait(self, kid):
        """Who will have moved by then is not known: it tells who would have to."""
        streams, sessions = self.used(kid)
        if (streams or sessions) and not self.gone(kid) and not self.p['force']:
            self.done.append(
                'waits for %d streams and %d UDP sessions that use key %d now, and '
                'stops here if they stay idle' % (streams, sessions, kid))

    def gone(self, kid):
        return self.kernel.get(kid, ('retired',))[0] == 'retired'

    def in_use(self, kid):
        streams, sessions = self.used(kid)
        if (streams or sessions) and not self.gone(kid) and \
                not self.p['force'] and not self.check:
            raise Problem(
                '%d streams and %d UDP sessions use key %d yet; wait longer '
                '(-e nst_wait=SECONDS), or if they are idle: -e nst_force=true' %
                (streams, sessions, kid))

    def step_retire(self):
        kid, want = self.p['kid'], dict(self.kernel)
        if self.gone(kid):
            return self.keep(want)
        if want[kid][0] == 'active' and not self.check:
            raise Problem('key %d is the active one here' % kid)
        self.in_use(kid)
        want[kid] = ('retired', want[kid][1])
        if self.check and not self.active_but(kid):
            self.done.append('the kernel: refuses key %d' % kid)
            return
        force = ['--force'] if self.p['force'] else []
        self.change(want, 'the kernel: refuses key %d' % kid, 'retire',
                    *(force + [str(kid)]))

    def active_but(self, kid):
        return self.active() not in (0, kid)

    def step_forget(self):
        kid, want = self.p['kid'], dict(self.kernel)
        if want.pop(kid, ('retired',))[0] != 'retired' and not self.check:
            raise Problem('key %d is not retired' % kid)
        if self.check and not self.gone(kid):
            self.done.append('the kernel: forgets key %d' % kid)
            return
        self.change(want, 'the kernel: forgets key %d' % kid, 'del', str(kid))

    def step_end(self):
        self.keep(self.kernel)

    # --- all

    def own(self):
        """Is this still the run that began here? Renews its lease if so."""
        step, note = self.p['step'], self.note.read()
        if self.check or step in ('show', 'install'):
            return
        if step != 'begin' and note.get('run') != self.p['run']:
            if step == 'release':
                return
            raise Problem('%s has taken over here' %
                          (note.get('by') or 'another run'))
        fp = self.kernel.get(self.to, ('', note.get('fp', '')))[1]
        if self.new:
            fp = states(self.new)[self.to][1]
        ended = step in ('end', 'release')
        self.note.write({
            'to': self.to, 'fp': fp, 'how': self.p['how'],
            'from': self.came_from or self.p['from_kid'] or
            (note.get('from', 0) if note.get('to') == self.to else 0),
            'by': self.p['by'],
            'run': None if ended else self.p['run'],
            'over': (note.get('over', []) +
                     ([self.p['run']] if ended else []))[-OVER:],
            'at': int(time.time()),
        })

    def run(self):
        step = self.p['step']
        if step == 'install' and not self.check and \
                not os.path.isdir('/sys/module/nst_ulp'):
            self.module.run_command(['modprobe', '-q', 'nst_ulp'])
        self.note.lock(self.check or step == 'show')
        try:
            if step == 'release':
                return self.own()
            self.look()
            self.file.read()
            if step not in ('begin', 'end'):
                self.own()
            getattr(self, 'step_' + step)()
            if step in ('begin', 'end'):
                self.own()
        finally:
            self.note.unlock()

    def report(self, problem):
        lines = []
        for kid in sorted(self.uses):
            key = self.uses[kid]
            lines.append('key %d %s %s: %d streams send, %d receive, %d UDP '
                         'sessions' % (kid, key['state'], key['fingerprint'],
                                       key['tx_streams'], key['rx_streams'],
                                       key.get('sessions', 0)))
        in_step = self.file.keys is not None and \
            states(self.file.keys) == self.storable(self.kernel)
        if not self.kernel:
            lines.append('the kernel has no box')
        if not in_step and not self.check:
            lines.append(self.file.problem or
                         '%s is not as the box of the kernel' % self.file.path)
        return {
            'changed': bool(self.done), 'step': self.p['step'],
            'problem': problem, 'done': self.done, 'report': lines,
            'in_step': in_step, 'active': self.active(),
            'others': sorted(k for k in live(self.kernel) if k != self.to),
            'to': self.to, 'came_from': self.came_from,
            'over': self.over, 'held': self.held,
            'fingerprint': self.kernel.get(self.to, ('', ''))[1],
        }


def main():
    module = AnsibleModule(argument_spec={
        'step': {'default': 'show', 'choices': [
            'show', 'install', 'begin', 'accept', 'restore', 'activate',
            'drain', 'retire', 'forget', 'end', 'release']},
        'box': {'default': '', 'no_log': True},
        'key': {'default': '', 'no_log': True},
        'kid': {'type': 'int', 'default': 0},
        'to_kid': {'type': 'int', 'default': 0},
        'from_kid': {'type': 'int', 'default': 0},
        'how': {'default': 'rotate', 'choices': ['rotate', 'rollback']},
        'file': {'type': 'path', 'default': '/etc/nst.box'},
        'state_dir': {'type': 'path', 'default': '/var/lib/nst'},
        'run': {'default': ''},
        'by': {'default': ''},
        'lease': {'type': 'int', 'default': 900},
        'over': {'type': 'list', 'elements': 'str', 'default': []},
        'wait': {'type': 'int', 'default': 0},
        'take_over': {'type': 'bool', 'default': False},
        'force': {'type': 'bool', 'default': False},
        'replace': {'type': 'bool', 'default': False},
    }, supports_check_mode=True)
    problem, host = '', None
    try:
        host = Host(module)
        host.run()
    except Problem as e:
        problem = str(e)
    if host:
        module.exit_json(**host.report(problem))
    module.exit_json(changed=False, step=module.params['step'], problem=problem,
                     done=[], report=[], others=[], came_from=0, to=0, over=[],
                     held='')


if __name__ == '__main__':
    main()

// SPDX-License-Identifier: ISC
'use strict';
// A program that evaluates lines of its standard input with `group` in sight, and tells its events.

const http = require('node:http');
const readline = require('node:readline');
const { createGroup } = require('..');

const policy = { worth: undefined, veto: false, broken: false };
const options = {
  interface: 'eth0', addresses: ['10.79.0.100/24'], node: process.env.HA_NAME,
  keeper: process.env.HA_KEEPER, runtimeDir: process.env.HA_RUNTIME_DIR,
  ...JSON.parse(process.argv[2] ?? '{}'),
  worth: () => {
    if (policy.broken) throw new Error('planted');
    return policy.worth ?? 100;
  },
  veto: () => policy.veto,
  choose: (_, candidates) => {
    console.log('candidates', candidates.map((candidate) => candidate.name).join(' '));
    return candidates[0];
  },
};

http.createServer((_, response) => response.end(`${process.env.HA_NAME}\n`)).listen(8080);
createGroup(options).then((group) => {
  group.on('event', (event) => console.log(event.type, event.state ?? '', event.text));
  group.on('policyError', (error) => console.log('policyError', error.message));
  group.on('close', () => { console.log('closed', group.state); process.exit(0); });
  readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const result = new Function('group', 'policy', line)(group, policy);
    if (result !== undefined) console.log('result', JSON.stringify(result));
  });
}, (error) => { console.log('refused', error.code, error.message); process.exit(1); });

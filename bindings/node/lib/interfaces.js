// SPDX-License-Identifier: ISC
'use strict';
// The address that interfaces(5) gives a device: the original brought it up with ifup.

const fs = require('node:fs');
const path = require('node:path');

function expand(pattern, folder) {
  const full = path.resolve(folder, pattern);
  if (!/[*?]/.test(path.basename(full))) {
    return fs.statSync(full, { throwIfNoEntry: false })?.isDirectory()
      ? fs.readdirSync(full).map((name) => path.join(full, name)) : [full];
  }
  const expression = new RegExp(`^${path.basename(full).replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*').replace(/\?/g, '.')}$`);
  const parent = path.dirname(full);
  return fs.existsSync(parent)
    ? fs.readdirSync(parent).filter((name) => expression.test(name)).map((name) => path.join(parent, name)) : [];
}

function prefixLength(netmask) {
  if (/^\d+$/.test(netmask)) return Number(netmask);
  return netmask.split('.').map((byte) => Number(byte).toString(2).replace(/0/g, '').length)
    .reduce((sum, bits) => sum + bits, 0);
}

function* statements(file, depth = 0) {
  if (depth > 4 || !fs.existsSync(file)) return;
  const joined = fs.readFileSync(file, 'utf8').replace(/\\\n/g, ' ');
  for (const line of joined.split('\n')) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0].startsWith('#')) continue;
    if (words[0] === 'source' || words[0] === 'source-directory') {
      for (const name of expand(words[1], path.dirname(file))) yield* statements(name, depth + 1);
    } else {
      yield words;
    }
  }
}

// "192.168.1.100/24", or undefined.
function addressOf(device, file = '/etc/network/interfaces') {
  let ours = false, address, netmask;
  for (const [key, ...values] of statements(file)) {
    if (key === 'iface') ours = values[0] === device && values[1] === 'inet';
    else if (['auto', 'mapping'].includes(key) || key.startsWith('allow-')) ours = false;
    else if (ours && key === 'address') [address, netmask] = [...values[0].split('/'), netmask];
    else if (ours && key === 'netmask') netmask = values[0];
  }
  return address && `${address}/${netmask ? prefixLength(netmask) : 32}`;
}

module.exports = { addressOf };

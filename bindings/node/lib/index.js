// SPDX-License-Identifier: ISC
'use strict';
// Two faces. createGroup() is the one to use. The module itself is an EventEmitter with main(), isActive()
// and the like, as that of the first program called ha: a service written for it runs unchanged.

const { EventEmitter } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');

const { Group, createGroup, version } = require('./group.js');
const { addressOf } = require('./interfaces.js');

const CONFIGURATION = '/etc/ha.json';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const PATIENCE = 2000; // ms for the end, however busy the others are

const ha = new EventEmitter();
let group;
let state;
let configuration = {};

function findAddress(device, family) {
  // The shared device is an alias of another one's; its address is there while this node is ACTIVE.
  if (device === configuration.sharedEthernetDevice && configuration.shared) {
    return state === 'ACTIVE' && family === 'IPv4' ? configuration.shared.split('/')[0] : undefined;
  }
  return os.networkInterfaces()[device]?.find((address) => address.family === family)?.address;
}

function change(next) {
  if (state === next || state === 'SHUTDOWN') return;
  console.info('ha: from', state, 'to', next);
  state = next;
  ha.emit(next.toLowerCase());
}

function readConfiguration(file) {
  const defaults = { ethernetDevice: 'bond0', sharedEthernetDevice: 'bond0:1' };
  try {
    return { ...defaults, ...JSON.parse(fs.readFileSync(file, 'utf8')) };
  } catch (error) {
    console.warn(`ha: unable to read ${file}: ${error.message}`);
    return defaults;
  }
}

function fail(message) {
  console.error(`ha: ${message}`);
  process.exit(1);
}

function options() {
  const { ethernetDevice, sharedEthernetDevice, sharedAddress, interfacesFile, ...others } = configuration;
  configuration.shared = sharedAddress ?? addressOf(sharedEthernetDevice, interfacesFile);
  if (!configuration.shared) {
    fail(`${sharedEthernetDevice} has no address in /etc/network/interfaces; write "sharedAddress": `
      + `"192.168.1.100/24" into ${CONFIGURATION}`);
  }
  return { interface: ethernetDevice, address: configuration.shared, ...others };
}

function main(file = CONFIGURATION) {
  if (group) return;
  configuration = readConfiguration(file);
  change('STANDBY');
  try {
    group = new Group(options());
  } catch (error) {
    fail(error.message);
  }
  group.on('active', () => change('ACTIVE'));
  group.on('standby', () => change('STANDBY'));
  group.on('shutdown', () => change('SHUTDOWN'));
  group.on('fault', (event) => console.warn(`ha: ${event.text}`));
  for (const signal of SIGNALS) process.on(signal, shutdown);
}

// Hands over, then ends the process, as the first ha did.
function shutdown() {
  const leave = () => process.exit(0);
  if (!group) return leave();
  setTimeout(leave, PATIENCE);
  return void group.stop().then(leave, leave);
}

Object.assign(ha, {
  main, shutdown, findAddress,
  isActive: () => state === 'ACTIVE',
  isStandby: () => state === 'STANDBY',
  isShutdown: () => state === 'SHUTDOWN',
  Group, createGroup, version,
});

module.exports = ha;

if (require.main === module) main();

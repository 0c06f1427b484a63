// SPDX-License-Identifier: ISC
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, test } = require('node:test');

const { createGroup, findAddress, version } = require('..');
const { addressOf } = require('../lib/interfaces.js');
const { ADDRESS, Client, Lan, until } = require('./lan.js');

const OBEY = path.join(__dirname, 'obey.js');
const lans = [];
after(() => Promise.all(lans.map((lan) => lan.close())));

async function pair(file = OBEY, words = [[], []]) {
  const lan = new Lan();
  lans.push(lan);
  const hosts = [lan.host('alpha', 1), lan.host('beta', 2)];
  const client = new Client(lan.host('client', 250));
  const alpha = hosts[0].node(file, words[0]);
  await client.answers('alpha');
  const beta = hosts[1].node(file, words[1]);
  return { lan, hosts, client, alpha, beta };
}

test('a service that is killed loses its address to the other one, under load', async () => {
  const { hosts, client, alpha, beta } = await pair();
  await beta.said('alpha holds it');
  await client.answers('alpha', 50);
  alpha.kill();
  await client.answers('beta', 50);
  const { hosts: served } = await client.summary();
  assert.deepEqual(served, ['alpha', 'beta']);
  assert.match(beta.output, /state ACTIVE ACTIVE: alpha gave it up/);
  assert.ok(!hosts[0].has(ADDRESS));
});

test('policies, health and a polite end move the address without a pause', async () => {
  const { client, alpha, beta } = await pair();
  await beta.said('alpha holds it');
  beta.process.stdin.write('policy.worth = 200\n');
  await client.answers('beta', 20);
  beta.process.stdin.write('policy.broken = true\n');
  await beta.said('policyError planted');
  beta.process.stdin.write('policy.broken = false\n');
  beta.process.stdin.write('group.setHealthy(false, "the disk is full")\n');
  await alpha.said('state ACTIVE', 2);
  await client.servedBy('alpha');
  await beta.said('the disk is full');
  alpha.process.stdin.write('return group.snapshot().groups[0].state\n');
  await alpha.said('result "ACTIVE"');
  beta.process.stdin.write('group.setHealthy(true)\n');
  await beta.said('state ACTIVE', 2);
  await client.servedBy('beta');
  beta.process.stdin.write('group.stop()\n');
  assert.equal(await beta.ended, 0);
  assert.match(beta.output, /closed SHUTDOWN/);
  await alpha.said('state ACTIVE', 3);
  await client.servedBy('alpha');
  const { hosts } = await client.summary();
  assert.deepEqual(hosts, ['alpha', 'beta', 'alpha', 'beta', 'alpha']);
  const handedOver = (program) => program.output.split('handed over to').length - 1;
  assert.deepEqual([handedOver(alpha), handedOver(beta)], [2, 2], 'make before break, each time');
});

test('a group is yielded to whom the program chooses, and taken back', async () => {
  const { client, alpha, beta } = await pair();
  await beta.said('alpha holds it');
  // One that has just started still listens, and cannot take anything: then it is refused, and tried again.
  alpha.process.stdin.write('const go = () => group.yield().then((text) => console.log("yielded:", text), '
    + '(error) => console.log(error.code) ?? setTimeout(go, 200)); go();\n');
  await client.servedBy('beta');
  await alpha.said('yielded:');
  await alpha.said('candidates beta');
  alpha.process.stdin.write('group.resume().then(() => group.yield("nobody")).catch((e) => console.log("refused", e.code))\n');
  await alpha.said('refused ENOENT');
  await client.servedBy('alpha');
  assert.deepEqual((await client.summary()).hosts, ['alpha', 'beta', 'alpha']);
});

test('a blocked event loop loses the address, and gets it back', async () => {
  const { client, alpha, beta } = await pair();
  await beta.said('alpha holds it');
  await client.answers('alpha', 10);
  alpha.process.stdin.write('{ const end = Date.now() + 2500; while (Date.now() < end); }\n');
  await client.answers('beta');
  await alpha.said('state ACTIVE', 2);
  const { hosts } = await client.summary();
  assert.deepEqual(hosts.slice(0, 2), ['alpha', 'beta']);
});

test('a service written for the first ha runs unchanged', async () => {
  const files = ['alpha', 'beta'].map((name) => {
    const folder = fs.mkdtempSync('/tmp/ha-first-');
    const interfaces = path.join(folder, 'interfaces');
    fs.writeFileSync(interfaces, `auto eth0:1\niface eth0:1 inet static\n address ${ADDRESS}\n netmask 255.255.255.0\n`);
    // What stands behind the first two only makes it run on this LAN.
    const keys = {
      ethernetDevice: 'eth0', sharedEthernetDevice: 'eth0:1', interfacesFile: interfaces,
      keeper: process.env.HA_KEEPER, runtimeDir: path.join(folder, 'run'), node: name,
    };
    fs.writeFileSync(path.join(folder, 'ha.json'), JSON.stringify(keys));
    return path.join(folder, 'ha.json');
  });
  const { client, alpha, beta } = await pair(path.join(__dirname, 'first.js'), files.map((file) => [file]));
  assert.match(alpha.output, /standby true 10\.79\.0\.1\n[^]*active true 10\.79\.0\.100\n/);
  await beta.said('standby true 10.79.0.2');
  await until(() => beta.over || client.program.output.length > 200, 'some answers');
  alpha.process.stdin.write('\n');
  assert.equal(await alpha.ended, 0);
  assert.match(alpha.output, /shutdown true\n/);
  await client.answers('beta');
  beta.kill('SIGTERM');
  assert.equal(await beta.ended, 0);
  assert.deepEqual((await client.summary()).hosts, ['alpha', 'beta']);
  for (const file of files) fs.rmSync(path.dirname(file), { recursive: true });
});

test('mistakes are JavaScript errors that say what would be right', async () => {
  const refuse = (options, expected) => assert.rejects(createGroup(options), expected);
  await refuse({ adress: '10.0.0.1/24' }, { name: 'TypeError', message: /no option adress; known are interface, / });
  await refuse({ worth: -1 }, { code: 'ERR_INVALID_ARG_VALUE', message: /0 to 65535/ });
  await refuse({ worth: 'much' }, { message: /worth is a function or a number/ });
  await refuse({ interval: 0.5 }, { message: /whole number of milliseconds/ });
  await refuse({}, { code: 'EINVAL', message: /interface is missing/ });
  await refuse({ interface: 'eth0', addresses: ['10.0.0.1/99', 'nonsense'] }, { code: 'EINVAL', message: /99[^]*nonsense/ });
  await refuse({ interface: 'eth0', address: '10.0.0.1/24', keeper: '/does/not/exist' }, { code: 'ENOENT' });
  await refuse({ attached: true, runtimeDir: '/does/not/exist' }, { code: 'ENOENT', message: /no daemon listens/ });
  assert.match(version, /^\d+\.\d+\.\d+/);
  assert.equal(findAddress('lo', 'IPv4'), '127.0.0.1');
});

test('the example serves', async () => {
  const lan = new Lan();
  lans.push(lan);
  const host = lan.host('alpha', 1);
  const client = new Client(lan.host('client', 250));
  const alpha = host.node(path.join(process.env.HA_EXAMPLES, 'http.js'), ['eth0', `${ADDRESS}/24`]);
  await client.answers('alpha', 5);
  alpha.kill('SIGTERM');
  assert.equal(await alpha.ended, 0);
  assert.match(alpha.output, /ACTIVE: nobody held it\n/);
});

test('events are an async iterator, and a closed group says so', async () => {
  const lan = new Lan();
  lans.push(lan);
  const script = path.join(__dirname, 'iterate.js');
  const alpha = lan.host('alpha', 1).node(script);
  assert.equal(await alpha.ended, 0, alpha.output);
  assert.match(alpha.output, /STANDBY ACTIVE [^]*the group is closed/);
});

test('addresses of interfaces(5)', () => {
  const folder = fs.mkdtempSync('/tmp/ha-interfaces-');
  const file = path.join(folder, 'interfaces');
  fs.mkdirSync(path.join(folder, 'more.d'));
  fs.writeFileSync(file, 'source more.d/*\nauto eth0\niface eth0 inet static\n  address 10.0.0.1/8\n# iface eth9 inet\n');
  fs.writeFileSync(path.join(folder, 'more.d/shared'), 'iface eth0:1 inet static\n\taddress 10.0.0.9\n\tnetmask 255.255.240.0\n');
  assert.equal(addressOf('eth0', file), '10.0.0.1/8');
  assert.equal(addressOf('eth0:1', file), '10.0.0.9/20');
  assert.equal(addressOf('eth9', file), undefined);
  assert.equal(addressOf('eth0', '/does/not/exist'), undefined);
  fs.rmSync(folder, { recursive: true });
});

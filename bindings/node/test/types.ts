// SPDX-License-Identifier: ISC
// Compiled, never run: a service in TypeScript that uses every part of the interface as it is meant.
import ha = require('..');

async function serve(): Promise<void> {
  const group: ha.Group = await ha.createGroup({
    interface: 'eth0', addresses: ['192.168.1.100/24'], interval: 100, tolerance: 350, keyFile: '/etc/ha/key',
    worth: (own) => (own.isActive() ? 200 : 100),
    veto: (own) => own.epoch > 1000,
    choose: (own, candidates) => candidates.find((candidate) => candidate.name !== own.holder && candidate.worth > 0),
  });
  group.on('active', (event) => { const previous: ha.State = event.previous; void previous; });
  group.on('fault', (event) => { const text: string = event.text; void text; });
  group.on('policyError', (error) => { const stack: string | undefined = error.stack; void stack; });
  for await (const event of group) {
    const time: Date = event.time;
    if (event.type === 'stopped') break;
    void time;
  }
  group.setWorth(100);
  group.setHealthy(false, 'the disk is full');
  const answer: string = await group.yield('beta');
  await group.drain({ force: answer === '' });
  await group.resume();
  await group.ref().unref().stop();
  group.close();

  // @ts-expect-error: a worth is a number
  group.setWorth('high');
  // @ts-expect-error: there is no such option
  await ha.createGroup({ intervall: 100 });
  // @ts-expect-error: nobody emits it
  group.on('aktive', () => {});
}

function asTheFirst(): string | undefined {
  ha.on('active', () => {});
  ha.once('shutdown', () => process.exit(0));
  ha.main('/etc/ha.json');
  if (ha.isActive() || ha.isStandby() || ha.isShutdown()) ha.shutdown();
  return ha.findAddress('eth0', 'IPv4');
}

void serve;
void asTheFirst;
void ha.version.length;

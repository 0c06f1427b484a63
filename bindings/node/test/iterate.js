// SPDX-License-Identifier: ISC
'use strict';

const { createGroup } = require('..');

(async () => {
  const group = await createGroup({
    interface: 'eth0', addresses: ['10.79.0.100/24'], keeper: process.env.HA_KEEPER,
    runtimeDir: process.env.HA_RUNTIME_DIR,
  });
  const states = [];
  for await (const event of group) {
    if (event.state) states.push(event.state);
    if (event.state === 'ACTIVE') group.close();
  }
  console.log(states.join(' '), group.isShutdown());
  try {
    group.setWorth(1);
  } catch (error) {
    console.log(error.message);
  }
})();

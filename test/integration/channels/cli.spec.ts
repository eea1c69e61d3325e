import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import { createCli } from '../registry/cli-fixture.js';
import { startReceiver, until, type Receiver } from './receiver.js';

const cleanups = cleanUp(afterAll);
let says: ReturnType<typeof createCli>;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  cleanups.push(() => receiver.stop());
  const { home } = await startOwnRescind(cleanups, {
    env: { CHANNEL_ALLOWED_HOSTS: '127.0.0.1', PUBLIC_URL: 'https://rescind.example' },
  });
  says = createCli(home);
});

describe('rescind channels', () => {
  it('sets, tries and lists a channel, to which the running service pushes what it finds', async () => {
    expect(await says('channels')).toMatchObject({ code: 0, out: 'none\n' });
    const tagged = await says('channels set team --kind slack --address-from - --tags sensitive,vip', {
      stdin: receiver.url,
    });
    expect(tagged.out).toMatch(/^tags +sensitive, ?vip$/m);
    const set = await says('channels set team --kind slack --address-from - --severity high', {
      stdin: `${receiver.url}/hidden\n`,
    });
    expect(set).toMatchObject({ code: 0, out: expect.stringContaining(`http://127.0.0.1:${receiver.port}/…`) });
    const tried = await says('channels try team');
    expect(tried).toMatchObject({ code: 0, out: expect.stringMatching(/^delivered +true$/m) });
    expect(tried.out).toContain('The receiver answered:\nok\n');
    expect(receiver.arrived[0]!.body.blocks[0].text.text).toBe('Test of this channel: info, administration');
    await says('caller create second --admin');
    await until('the finding', () => receiver.arrived.length > 1);
    expect(receiver.arrived[1]!.body.text).toContain('admin made second an administrator');
    const listed = await until('the delivery', async () => {
      const { out } = await says('channels deliveries team --state delivered');
      return out.includes('finding.opened') && out;
    });
    const [id] = /msg_[0-9a-f]{32}_\d+/.exec(listed)!;
    expect((await says(`channels replay team --delivery ${id}`)).out).toMatch(/^replayed +1$/m);
    await until('the message again', () => receiver.arrived.length > 2);
    const shown = `${set.out}${tried.out}${listed}${(await says('channels show team')).out}${(await says('channels list')).out}`;
    expect(shown).not.toContain('hidden');
    expect((await says('channels remove team')).code).toBe(0);
    expect((await says('channels try team')).err).toContain('not-found: ');
  });

  it('shows the secret of a webhook once, and another one after a rotation', async () => {
    const set = await says('channels set own --kind webhook --address-from - --json', { stdin: receiver.url });
    const { secret } = JSON.parse(set.out) as { secret: string };
    const rotated = JSON.parse((await says('channels rotate own --keep 60 --json')).out) as { secret: string };
    expect(rotated.secret).toMatch(/^whsec_/);
    expect(rotated.secret).not.toBe(secret);
    expect((await says('channels show own')).out).not.toContain('whsec_');
  });
});

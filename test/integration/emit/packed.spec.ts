import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIBRARY_NODES } from '../../support/node-20.js';
import { startReceiver, type Receiver } from './receiver.js';

/** What a producer embeds, with the one package that it may find beside it. */
const PROGRAM = `
import { createProducer, httpTransport } from 'rescind/emit';
const producer = createProducer({
  source: 'https://idp.example',
  transport: httpTransport({ url: process.argv[2], credentials: { bearer: 'k' } }),
  onDropped: ({ reason }) => { throw new Error(reason); },
  onRefused: ({ code }) => { throw new Error(code); },
});
const receipt = await producer.emitDurably('session.ended', { iss: 'https://idp.example', sid: 's1', sub: 'u1' }, { id: process.argv[3] });
await producer.close();
process.stdout.write(JSON.stringify(receipt));
`;
const TYPED = `
import { createProducer, httpTransport, type Producer } from 'rescind/emit';
const producer: Producer = createProducer({
  source: 's', transport: httpTransport({ url: 'https://rescind.example', credentials: { bearer: 'k' } }), onDropped() {}, onRefused() {},
});
producer.emit('session.ended', { iss: 'i', sid: 's', sub: 'u' });
// @ts-expect-error: sub is missing
producer.emit('session.ended', { iss: 'i', sid: 's' });
`;

describe('the package, as a producer installs it', () => {
  let directory: string;
  let receiver: Receiver;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    receiver = await startReceiver();
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--offline', '--pack-destination', directory], { stdio: 'pipe' });
    const [tarball] = (await readdir(directory)).filter((name) => name.endsWith('.tgz'));
    const modules = join(directory, 'node_modules');
    await mkdir(join(modules, 'rescind'), { recursive: true });
    execFileSync('tar', ['-xzf', join(directory, tarball!), '-C', join(modules, 'rescind'), '--strip-components=1']);
    await symlink(resolve('node_modules/typebox'), join(modules, 'typebox'));
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  });
  afterAll(async () => {
    await receiver.stop();
    await rm(directory, { recursive: true });
  });

  describe.each(LIBRARY_NODES)('on %s', (_name, node) => {
    (node === undefined ? it.skip : it)('`rescind/emit` needs nothing but typebox, and sends an event', () => sendsOn(node!));
  });

  async function sendsOn(node: string): Promise<void> {
    const id = randomUUID();
    await writeFile(join(directory, 'program.js'), PROGRAM);
    const { stdout } = await promisify(execFile)(node, ['program.js', receiver.url, id], { cwd: directory });
    expect(JSON.parse(stdout)).toMatchObject({ id, state: 'delivered' });
    expect(receiver.received.filter((event) => event.id === id)).toHaveLength(1);
  }

  it('its types say what an event holds', async () => {
    await writeFile(join(directory, 'typed.ts'), TYPED);
    await symlink(resolve('node_modules/@types'), join(directory, 'node_modules/@types'));
    const options = { strict: true, noEmit: true, module: 'NodeNext', target: 'ES2023', types: ['node'], skipLibCheck: true };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['typed.ts'] }));
    const tsc = resolve('node_modules/.bin/tsc');
    expect(execFileSync(tsc, ['-p', directory], { encoding: 'utf8' })).toBe('');
  });

  it('carries no test and no source', async () => {
    const packed = join(directory, 'node_modules/rescind');
    expect(existsSync(join(packed, 'dist/emit/index.d.ts'))).toBe(true);
    expect((await readdir(join(packed, 'dist/emit'))).filter((name) => name.includes('.spec.'))).toEqual([]);
    expect(JSON.parse(await readFile(join(packed, 'package.json'), 'utf8'))).toMatchObject({ exports: { './emit': expect.anything() } });
  });
});

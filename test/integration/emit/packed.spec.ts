import { randomUUID } from 'node:crypto';
import { access, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IDP, RAS } from '../../conformance/parties.js';
import { findNode20 } from '../../support/node-20.js';
import { cleanUp } from '../../support/cleanups.js';
import {
  emptyProject,
  examplesOf,
  packInto,
  temporaryDirectory,
  TYPESCRIPT_5,
  type Project,
} from '../../support/packed.js';
import { CHAT_SOURCE, registered, startFeedService, type FeedService } from '../feeds/feed-service.js';

/** Bounds an install and two compilers on a busy machine. */
const LONG_MS = 1_800_000;

const TYPED = `
import { buildEvent, createKafkaEmitter, createProducer, httpTransport, kafkaTransport, type KafkaProducerPort, type Producer } from '@rescind/emit';
declare const producer: Producer;
producer.emit('session.ended', { iss: 'i', sid: 's', sub: 'u' });
// @ts-expect-error: sub is missing
producer.emit('session.ended', { iss: 'i', sid: 's' });
export const all = [buildEvent, createKafkaEmitter, createProducer, httpTransport, kafkaTransport];
export const port = (kafka: KafkaProducerPort) => kafkaTransport({ producer: kafka, sourceName: 'chat' });
`;
const PROGRAM = `
import { announce, producer, served } from './producer.js';
const [token, jti] = process.argv.slice(2);
await announce(token, { iss: '${IDP}', jti, sub: 'u-1' });
served(token);
await producer.close();
process.stdout.write(JSON.stringify({ node: process.version, ...producer.stats() }));
`;

describe('@rescind/emit, as a producer installs it', () => {
  let packages: string;
  let project: Project;
  let service: FeedService;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    packages = await temporaryDirectory();
    cleanups.push(() => rm(packages, { recursive: true }));
    project = await emptyProject();
    cleanups.push(() => project.remove());
    service = await startFeedService();
    cleanups.push(() => service.stop());
    await project.install((await packInto(packages)).emit);
  }, LONG_MS);

  it('brings typebox alone, and neither a test nor a source', async () => {
    expect(await project.installed()).toEqual(['@rescind/emit', 'typebox']);
    const manifest = JSON.parse(
      await readFile(join(project.directory, 'node_modules/@rescind/emit/package.json'), 'utf8'),
    ) as object;
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      dependencies: { typebox: expect.any(String) },
      peerDependenciesMeta: { kafkajs: { optional: true } },
    });
    await access(join(project.directory, 'node_modules/@rescind/emit/LICENSE'));
    const files = await project.files('@rescind/emit');
    expect(
      files.filter((name) => /\.spec\.|(?<!\.d)\.ts$|\.map$|^dist\/(?!contracts|emit|platform\/lock\/)/.test(name)),
    ).toEqual([]);
  });

  it(
    'TypeScript 5 and 7 read its types, and the example of its README runs on a node',
    async () => {
      const examples = await examplesOf('src/emit/README.md');
      expect(Object.keys(examples)).toEqual(['producer.ts', 'signing.ts']);
      const spool = join(project.directory, 'spool');
      const signing = examples['signing.ts']!;
      const example = examples['producer.ts']!.replace('https://rescind.example', service.url).replace(
        '/var/lib/chat/rescind-spool',
        spool,
      );
      await project.write({
        'signing.ts': signing,
        'producer.ts': example.replace('https://api.chat.example', CHAT_SOURCE.resources[0]!),
        'typed.ts': TYPED,
        'program.js': PROGRAM,
      });
      await project.install(TYPESCRIPT_5, '@types/node@20');
      expect(await project.typecheck(7, ['producer.ts', 'signing.ts', 'typed.ts'])).toBe('');
      expect(await project.typecheck(5, ['producer.ts', 'typed.ts'], { noEmit: false })).toBe('');

      await service.admin(
        'PUT',
        '/v1/sources/chat',
        registered({ ...CHAT_SOURCE, types: [...CHAT_SOURCE.types, 'access.allowed'] }),
      );
      await service.register('chat-events', { emit: { sources: ['chat'] } });
      const [token, jti] = [`opaque-${randomUUID()}`, randomUUID()];
      const told = await project.node(
        'program.js',
        [token, jti],
        { RESCIND_SECRET: service.secret('chat-events') },
        findNode20() ?? process.execPath,
      );
      expect(JSON.parse(told)).toMatchObject({ delivered: 2, refused: 0, dropped: 0 });
      expect(await service.introspect(token)).toMatchObject({
        active: true,
        iss: RAS,
        client_id: 'wiki-at-chat',
        scope: 'chat.read',
      });
    },
    LONG_MS,
  );
});

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { KAFKAJS_INTERNALS, KAFKAJS_VERSION } from './internals.kafka.js';

const require = createRequire(import.meta.url);

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

describe('kafkajs', () => {
  it('is the release that its internals were read in, and package.json lets no other in', () => {
    expect((require('kafkajs/package.json') as Manifest).version).toBe(KAFKAJS_VERSION);
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
    expect(manifest.dependencies['kafkajs']).toBe(KAFKAJS_VERSION);
  });

  it.each(Object.entries(KAFKAJS_INTERNALS))('has the same %s', (file, { sha256 }) => {
    const text = readFileSync(require.resolve(`kafkajs/src/${file}`));
    expect(createHash('sha256').update(text).digest('hex')).toBe(sha256);
  });
});
